package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/anchor"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/config"
	"github.com/muhafiz/muhafiz/reporter"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// Status is what the vault holds and how its watch stands.
type Status struct {
	Vault      string                  `json:"vault"` // id
	LogKey     string                  `json:"log_key"`
	Records    int64                   `json:"records"`
	Kinds      map[evidence.Kind]int64 `json:"kinds"`
	Running    bool                    `json:"running"` // a daemon holds the vault
	Build      string                  `json:"build"`
	Checkpoint *CheckpointStatus       `json:"checkpoint,omitempty"` // the newest
	Anchor     *anchor.Anchored        `json:"anchor"`               // the newest word of an outsider, null where there is none
	Sources    []SourceState           `json:"sources"`
	Targets    []TargetStatus          `json:"targets"`
	Alerts     []OpenAlert             `json:"alerts,omitempty"` // troubles of which people were told and that are not over
	Redress    RedressStatus           `json:"redress"`
	Sealed     bool                    `json:"sealed"` // what is written now, at rest
	Retention  RetentionStatus         `json:"retention"`
	Scrub      ScrubStatus             `json:"scrub"`
	Space      SpaceStatus             `json:"space"`                   // the disk
	Held       *reporter.Hold          `json:"reporter_held,omitempty"` // why the reporter sends nothing
	Warnings   []string                `json:"warnings,omitempty"`
}

// CheckpointStatus is the newest signed tree head.
type CheckpointStatus struct {
	Size int64         `json:"size"`
	At   evidence.Time `json:"at"`
}

// TargetStatus is one target with what was collected of it.
type TargetStatus struct {
	TargetView
	Versions  int64 `json:"versions"` // records of posts seen
	Gone      int64 `json:"gone"`
	Files     int64 `json:"files"`
	Missed    int64 `json:"missed"`
	Snapshots int64 `json:"snapshots"`
	Gaps      int64 `json:"gaps"`
}

func (r *Rooms) status(ctx context.Context, c *call, _ none) (any, error) {
	s := Status{
		Vault: r.Vault.ID(), LogKey: r.vkey, Records: r.Vault.Size(), Build: r.Build, Running: r.reload != nil,
		Kinds: map[evidence.Kind]int64{},
	}
	tally := map[evidence.Ordinal]map[evidence.Kind]int64{}
	err := r.Vault.Each(ctx, viewTally, "", func(key string, value []byte, _ int64) error {
		o, k := splitTally(key)
		if o == "" {
			s.Kinds[k] = number(value)
			return nil
		}
		if tally[o] == nil {
			tally[o] = map[evidence.Kind]int64{}
		}
		tally[o][k] = number(value)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := r.statusRuns(ctx, &s); err != nil {
		return nil, err
	}
	all, err := r.Desk.Targets(ctx)
	if err != nil {
		return nil, err
	}
	signings := r.desk(c).Signings()
	views, err := r.viewedBy(ctx, c, signings, all...)
	if err != nil {
		return nil, err
	}
	s.Warnings = append(s.Warnings, signings.Damaged()...)
	for _, t := range views {
		a, tt := tally[t.Account], tally[t.Ordinal]
		s.Targets = append(s.Targets, TargetStatus{
			TargetView: t, Versions: a[evidence.KindPostSeen], Gone: a[evidence.KindPostGone], Files: a[evidence.KindMediaKept],
			Missed: a[evidence.KindMediaMissed], Snapshots: a[evidence.KindAccountSeen], Gaps: a[evidence.KindGap] + tt[evidence.KindGap],
		})
	}
	if s.Redress, err = r.redressStatus(ctx, s.Kinds, all); err != nil {
		return nil, err
	}
	open, err := r.openAlerts(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(open)) {
		s.Alerts = append(s.Alerts, open[key])
	}
	s.Sealed = r.Config.VaultKey != nil
	if err := r.statusRetention(ctx, &s); err != nil {
		return nil, err
	}
	if err := r.statusScrub(ctx, &s); err != nil {
		return nil, err
	}
	_, by, err := anchor.Newest(ctx, r.Vault)
	if err != nil {
		return nil, err
	}
	var warning string
	if s.Anchor, warning = newestAnchor(by, r.Now()); warning != "" {
		s.Warnings = append(s.Warnings, warning)
	}
	held, err := reporter.HeldBy(ctx, r.Vault)
	if err != nil {
		return nil, err
	}
	if held != nil {
		s.Held = held
		s.Warnings = append(s.Warnings, "no notice is sent: "+held.String())
	}
	if warning := r.backupWarning(); warning != "" {
		s.Warnings = append(s.Warnings, warning)
	}
	s.Space = r.space.status()
	s.Warnings = append(s.Warnings, s.Space.warnings(s.Running)...)
	s.warn(r.Now())
	return s, nil
}

func (r *Rooms) statusRuns(ctx context.Context, s *Status) error {
	var last checked
	if found, err := r.view(ctx, viewRuns, runChecked, &last); err != nil {
		return err
	} else if found {
		s.Checkpoint = &CheckpointStatus{last.Size, last.At}
	}
	return r.Vault.Each(ctx, viewRuns, sourcePrefix, func(_ string, value []byte, _ int64) error {
		var st SourceState
		if err := json.Unmarshal(value, &st); err != nil {
			return err
		}
		s.Sources = append(s.Sources, st)
		return nil
	})
}

// warn says what a person should act on.
func (s *Status) warn(now time.Time) {
	for _, src := range s.Sources {
		switch src.State {
		case "healthy", "starting", "polls":
		default:
			s.Warnings = append(s.Warnings, src.warning())
		}
	}
	for _, t := range s.Targets {
		if t.Unsigned != "" && !t.ListDamaged && !t.Emergency && t.Collectable(now) {
			s.Warnings = append(s.Warnings, "target "+t.ID+" goes on being collected although its listing is not signed; its approval is not renewed before it is: muhafiz watch sign --as "+t.ListedBy)
		}
		switch {
		case t.State == review.TargetListed && t.Unsigned != "":
			s.Warnings = append(s.Warnings, "target "+t.ID+" is not collected; "+t.Unsigned)
		case t.State == review.TargetListed:
			s.Warnings = append(s.Warnings, "target "+t.ID+" waits for a second person and is not collected")
		case t.Emergency && t.Collectable(now):
			s.Warnings = append(s.Warnings, "target "+t.ID+" is collected by an EMERGENCY START of one person until "+t.Until.Format("2006-01-02 15:04Z")+"; nothing of it is reported until a second person approves it")
		case t.State == review.TargetApproved && !t.Until.IsZero() && !t.Collectable(now):
			s.Warnings = append(s.Warnings, "the approval of target "+t.ID+" has ended; it is not collected")
		}
	}
}

// warning says what is wrong with a source that is not at work, and what to do.
func (src SourceState) warning() string {
	w := "source " + src.Name + " is " + src.State + " since " + src.Since.Format(time.RFC3339)
	if !src.Until.IsZero() {
		w += " until " + src.Until.Format(time.RFC3339)
	}
	if !src.FrozenUntil.IsZero() {
		w += ", and Telegram deletes the account on " + src.FrozenUntil.Format(time.DateOnly)
	}
	if src.Detail != "" {
		w += ": " + src.Detail
	}
	if src.Advice != "" {
		w += ". What to do: " + src.Advice
	}
	return w
}

func (r *Rooms) reloadConfig(ctx context.Context, _ *call, _ none) (any, error) {
	if r.reload == nil {
		return Applied{}, usagef("no daemon runs: the configuration is read when one starts")
	}
	a, err := r.reload(ctx)
	var errs config.Errors
	if errors.As(err, &errs) {
		return a, usagef("%s\nThe old configuration stays in force.", strings.TrimSpace(errs.Error()))
	}
	return a, err
}
