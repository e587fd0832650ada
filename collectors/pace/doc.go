// Package pace keeps a source within what a platform tolerates, and shares that out over its targets: budgets of requests, the
// learned posting rate of each target, the intervals that follow from both, and the schedule that serves them.
//
// It promises that no more than a budget's number of requests is granted in any stretch of its length, that every waiting lane of
// a budget is served at least every few grants, that no interval exceeds the larger of the ceiling and twice what an equal share
// of the budget would give, and that a target which is due is served before any other is served twice. It does no requests, reads no
// clock but the one that it is handed, and knows no platform.
package pace
