package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// The day's list, as a ministry might hand it out: twelve channels in every way in which people write them. All are fictional.
const dayList = `No.,Link / handle,Platform,Date,Remark
1,https://t.me/northhaven_day_one_sim,Telegram,23/11/2026,simulated
2,@northhaven_day_two_sim,telegram,2026-11-23,simulated
3,t.me/s/northhaven_day_three_sim,Telegram,23 Nov 2026,simulated
4,tg://resolve?domain=northhaven_day_four_sim,Telegram,,simulated
5,http://telegram.me/Northhaven_Day_Five_Sim,TG,23-11-2026,simulated
6,https://t.me/northhaven_day_six_sim/12,Telegram,,a post of it
7,https://t.me/northhaven_day_seven_sim,Telegram,,simulated
8,https://t.me/northhaven_reporter_sim,Telegram,,turns out to be a journalist
9,https://t.me/northhaven_front_sim,Telegram,,known already
10,@northhaven_day_one_sim,Telegram,,the same as row 1
11,https://t.me/+SimulatedInvite,Telegram,,a private invite
12,https://x.com/northhaven_sim,X,,listed only
`

// dayChannels are the channels of the list that exist.
var dayChannels = []string{
	"northhaven_day_one_sim", "northhaven_day_two_sim", "northhaven_day_three_sim", "northhaven_day_four_sim",
	"northhaven_day_five_sim", "northhaven_day_six_sim", "northhaven_day_seven_sim", "northhaven_reporter_sim",
}

const (
	daySuccessor = "northhaven_day_two_new_sim"
	textDay      = "Simulated post of %s, number %d. It calls for nothing."
)

// day plays an analyst's day through the program's own commands, which speak to the daemon that runs meanwhile, and prints what
// each of them prints. It is played once: a folder that has seen its day is refused.
func (p people) day(ctx context.Context) error {
	if p.played["day"] > 0 {
		return errors.New("this folder has had its day; give --day another one")
	}
	if err := p.notePlayed("day", 1); err != nil {
		return err
	}
	for _, name := range dayChannels {
		p.open24(name)
	}
	if err := os.WriteFile(p.path("loopback", "day.csv"), []byte(dayList), 0o600); err != nil {
		return err
	}
	d := &shell{ctx: ctx, people: p}
	began := time.Now().UTC().Format(time.RFC3339)
	d.morning()
	d.journalist()
	d.takedowns()
	d.report()
	d.evening(began)
	return d.err
}

// open24 adds a channel with a few posts.
func (p people) open24(name string) {
	ch := p.world.AddChannel(telegramtest.Profile{Username: name, Title: "Northhaven (simulated) " + name})
	for i := range 3 {
		ch.Post(telegramtest.Post{Text: fmt.Sprintf(textDay, name, i+1)})
	}
}

func listed(name string) string { return "telegram-" + name }

func (d *shell) morning() {
	d.say("A list of twelve arrives. It is read, and every row is accounted for.")
	d.run("watch", "add", "loopback/day.csv", "--organisation", "northhaven", "--source", "Simulated list of a ministry, 23 November 2026", "--as", analyst, "--key", "keys/"+analyst, "--report")
	d.say("Nothing is collected before a second person has looked at each and signed.")
	approve := []string{"watch", "approve", "--as", reviewer, "--key", "keys/" + reviewer}
	for _, name := range dayChannels {
		approve = append(approve, listed(name))
	}
	d.run(approve...)
	for _, name := range dayChannels {
		d.expect[name] = expectation{Posts: 3, Versions: 3}
	}
	d.wait("the new channels", d.everything)
	d.run("watch", "list")
}

func (d *shell) journalist() {
	d.say("One of them turns out to be a journalist's. One person stops it at once, and says what left of it.")
	wrong := listed(dayChannels[7])
	d.run("watch", "mark", wrong, "--innocent", "journalist", "--reason", "Names an editor and a newsroom (simulated)", "--as", analyst)
	d.run("watch", "redress", wrong, "--as", analyst)
	d.say("The same list again cannot bring it back, and neither can one reviewer.")
	d.run("watch", "add", "loopback/day.csv", "--organisation", "northhaven", "--source", "Simulated list of a ministry, 23 November 2026", "--as", analyst, "--dry-run")
	d.refused("watch", "approve", wrong, "--as", reviewer, "--key", "keys/"+reviewer)
}

func (d *shell) takedowns() {
	d.say("Two channels go down. One comes back under another name.")
	gone := []string{dayChannels[1], dayChannels[3]}
	for _, name := range gone {
		d.world.Channel(name).Vanish()
	}
	d.wait("the channels that went down", func() bool {
		return d.ledger.gaps[listed(gone[0])] > 0 && d.ledger.gaps[listed(gone[1])] > 0
	})
	d.open24(daySuccessor)
	d.run("watch", "successor", listed(gone[0]), "https://t.me/"+daySuccessor, "--basis", "Same title, and announced in the old channel (simulated)", "--as", analyst, "--key", "keys/"+analyst)
	d.run("watch", "approve", listed(daySuccessor), "--as", reviewer, "--key", "keys/"+reviewer)
	d.expect[daySuccessor] = expectation{Posts: 3, Versions: 3}
	d.wait("the successor", d.everything)
}

func (d *shell) report() {
	d.say("A post of the first channel is decided, confirmed with another key, sent, and answered.")
	text := fmt.Sprintf(textDay, dayChannels[0], 2)
	post, err := d.postWith(d.ctx, text)
	if err != nil {
		d.err = errors.Join(d.err, err)
		return
	}
	for _, who := range []string{analyst, reviewer} {
		d.run("review", "show", string(post), "--as", who)
	}
	d.run("review", "decide", string(post), "--as", analyst, "--key", "keys/"+analyst, "--quote", "It calls for nothing", "--offence", "claims",
		"--rule", "Platform rules: accounts of a listed organisation (simulated)", "--severity", "low", "--exclusion", "none",
		"--affiliation", "Row 2 of the cited list (simulated)", "--languages", "en")
	d.run("review", "approve", "c2", "--as", reviewer, "--key", "keys/"+reviewer)
	d.run("notice", "run", "--as", reviewer)
	d.run("notice", "list")
	d.run("notice", "answer", "n2", "--outcome", "removed", "--ticket", "SIM-1", "--by", "abuse desk (simulated)", "--as", analyst)
}

func (d *shell) evening(began string) {
	d.say("What a colleague finds next morning.")
	d.run("today", "--as", analyst, "--since", began)
	d.say("What an auditor reads, and takes away with proofs.")
	d.run("log", "--as", auditor, "--since", began, "--limit", "25")
	d.run("audit", "export", "--as", auditor, "--out", "audit")
	d.run("audit", "verify", "audit", "--log", "keys/log.key.pub")
}

// wait waits until the vault shows something.
func (d *shell) wait(what string, ok func() bool) {
	if d.err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(d.ctx, d.o.Limit)
	defer cancel()
	if err := d.ledger.await(ctx, ok); err != nil {
		d.err = fmt.Errorf("%s: not seen within %s: %w", what, d.o.Limit, err)
	}
}

// shell runs the program's commands in the demo's folder and prints them with what they say.
type shell struct {
	people
	ctx context.Context
	err error // the first
}

func (d *shell) say(s string) { fmt.Fprintf(d.o.Out, "\n%s\n", s) }

// run runs a command and insists on one of the exit codes 0 and 4.
func (d *shell) run(args ...string) string {
	if d.err != nil {
		return ""
	}
	out, code, err := d.command(args...)
	if err != nil {
		d.err = err
	} else if code != 0 && code != 4 {
		d.err = fmt.Errorf("muhafiz %s: exit %d: %s", strings.Join(args, " "), code, out)
	}
	return out
}

// refused runs a command that must be refused.
func (d *shell) refused(args ...string) {
	if d.err != nil {
		return
	}
	out, code, err := d.command(args...)
	if err != nil {
		d.err = err
	} else if code == 0 {
		d.err = fmt.Errorf("muhafiz %s was not refused: %s", strings.Join(args, " "), out)
	}
}

func (d *shell) command(args ...string) (string, int, error) {
	self, err := os.Executable()
	if err != nil {
		return "", 0, err
	}
	fmt.Fprintf(d.o.Out, "\n$ muhafiz %s\n", quoted(args))
	cmd := exec.CommandContext(d.ctx, self, args...)
	cmd.Dir = d.dir
	var buf bytes.Buffer
	cmd.Stdout, cmd.Stderr = &buf, &buf
	err = cmd.Run()
	var ee *exec.ExitError
	if err != nil && !errors.As(err, &ee) {
		return "", 0, err
	}
	fmt.Fprint(d.o.Out, buf.String())
	return buf.String(), cmd.ProcessState.ExitCode(), nil
}

func quoted(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		if out[i] = a; strings.ContainsAny(a, " ()'\"") {
			out[i] = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
	}
	return strings.Join(out, " ")
}
