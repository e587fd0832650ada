package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter/delivery"
)

// message is what people are told; a command gets it as JSON on standard input.
type message struct {
	Schema int       `json:"schema"` // 1
	Vault  string    `json:"vault"`
	Host   string    `json:"host"`
	At     time.Time `json:"at"`
	Events []news    `json:"events"`
	Test   bool      `json:"test,omitempty"`
}

// way is one way of telling people. The answer's Way is empty where the message does not concern them.
type way interface {
	tell(ctx context.Context, m message) evidence.Told
}

func alertWays(c *config.Config) []way {
	a := c.Alerts
	var out []way
	mail := func(to []string, wide bool) {
		if len(to) == 0 || c.Reporter == nil || c.Reporter.SMTP == nil {
			return
		}
		out = append(out, &mailWay{courier: courier(c.Reporter.SMTP), from: a.From, to: to, wide: wide})
	}
	mail(a.Mail, false)
	if a.Escalate != nil {
		mail(a.Escalate.Mail, true)
	}
	if len(a.Command) > 0 {
		out = append(out, commandWay{args: a.Command, limit: commandLimit})
	}
	return out
}

// mailWay sends mail; with wide, only what is told to more people.
type mailWay struct {
	courier delivery.Courier
	from    string
	to      []string
	wide    bool
}

func (w *mailWay) tell(ctx context.Context, m message) evidence.Told {
	if w.wide {
		m.Events = slices.DeleteFunc(slices.Clone(m.Events), func(n news) bool { return !n.Wide })
		if len(m.Events) == 0 && !m.Test {
			return evidence.Told{}
		}
	}
	t := evidence.Told{Way: "mail", To: len(w.to)}
	if err := w.send(ctx, m); err != nil {
		t.Error = clipped(err.Error())
	}
	return t
}

func (w *mailWay) send(ctx context.Context, m message) error {
	id := evidence.NewID(m.At).Acq
	msg := delivery.Message{Name: "alert", MessageID: fmt.Sprintf("alert-%s@%s.muhafiz.invalid", id, strings.ToLower(m.Vault))}
	var err error
	if msg.From, err = delivery.Address(w.from); err != nil {
		return err
	}
	for _, to := range w.to {
		a, err := delivery.Address(to)
		if err != nil {
			return err
		}
		msg.To = append(msg.To, a)
	}
	msg.Bytes, err = delivery.Build(delivery.Letter{
		From: w.from, To: w.to, Subject: m.subject(), MessageID: msg.MessageID, Date: m.At, Text: m.text(), Urgent: !m.over(),
	})
	if err != nil {
		return err
	}
	_, err = w.courier.Send(ctx, msg)
	return err
}

// over reports whether all that is told is that troubles ended.
func (m message) over() bool {
	return !slices.ContainsFunc(m.Events, func(n news) bool { return n.Event != evidence.AlertEnded })
}

func (m message) subject() string {
	switch {
	case m.Test:
		return "Muhafiz: a test of the alerts"
	case len(m.Events) == 1:
		return "Muhafiz: " + m.Events[0].What
	case m.over():
		return fmt.Sprintf("Muhafiz: %d troubles are over", len(m.Events))
	}
	return fmt.Sprintf("Muhafiz: %d things to look at", len(m.Events))
}

func (m message) text() string {
	var b strings.Builder
	if m.Test {
		b.WriteString("This is a test: nothing is wrong.\n\n")
	}
	for _, n := range m.Events {
		fmt.Fprintf(&b, "%s\n  %s since %s; message %d about it\n", n.What, n.Event, n.Since.UTC().Format("2006-01-02 15:04Z"), n.Count)
		if n.Do != "" {
			fmt.Fprintf(&b, "  what to do: %s\n", n.Do)
		}
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "Vault %s on %s, %s.\n", m.Vault, m.Host, m.At.Format("2006-01-02 15:04:05Z"))
	return b.String()
}

// commandLimit is how long an alert's command may take.
const commandLimit = 30 * time.Second

// commandWay runs a program, without a shell. It gets the message and nothing of our own environment but what finds programs: the
// environment may hold secrets.
type commandWay struct {
	args  []string
	limit time.Duration
}

func (w commandWay) tell(ctx context.Context, m message) evidence.Told {
	t := evidence.Told{Way: "command"}
	if err := w.run(ctx, m); err != nil {
		t.Error = clipped(err.Error())
	}
	return t
}

func (w commandWay) run(ctx context.Context, m message) error {
	in, err := json.Marshal(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, w.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.args[0], w.args[1:]...)
	cmd.Stdin = bytes.NewReader(append(in, '\n'))
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ"} {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	// The program may have started others: they end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err = cmd.Run()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return fmt.Errorf("%s did not end within %s", w.args[0], w.limit)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", w.args[0], err)
	}
	return nil
}
