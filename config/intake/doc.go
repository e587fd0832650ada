// Package intake turns a list as a ministry or a report gives it (CSV, XLSX, HTML, pasted text) into entries of a watchlist.
//
// It promises that every row of the list is accounted for with its number and a reason, that a bad row never costs a good one, that
// nothing of a list is run or evaluated (formulas stay unread but for the value the file holds), that two spellings of one
// account are one, and that a file is changed whole or not at all, after the configuration was loaded as it would be.
//
// It does not promise that an account exists, that it is a broadcast channel, or whose it is: the platform and two people say that.
package intake
