package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
)

// cast adds the story's channels to a world that does not have them yet.
func (s *stage) cast() {
	for _, p := range []telegramtest.Profile{
		{Username: chNews, Title: "Northhaven Front (simulated)", About: "Simulated channel of a fictional organisation, for testing software.", Subscribers: 1200, Photo: &telegramtest.Photo{Bytes: picture(1)}},
		{Username: chUrdu, Title: "شمالی پناہ محاذ (فرضی)", About: "آزمائش کے لیے فرضی چینل", Subscribers: 340},
		{Username: chPashto, Title: "د شمالي پناه محاذ (فرضي)", About: "د ازموینې فرضي چینل", Subscribers: 210},
		{Username: chBalochi, Title: "Northhaven, Balochi (simulated)", About: "چکاسگ ءِ فرضی چینل", Subscribers: 95},
	} {
		if s.world.Channel(p.Username) == nil {
			s.world.AddChannel(p)
		}
	}
}

// loadPlayed reads how far earlier runs came.
func (s *stage) loadPlayed() error {
	s.played = map[string]int{}
	b, err := os.ReadFile(s.path("loopback", "story.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(b, &s.played)
}

func (s *stage) notePlayed(act string, n int) error {
	s.played[act] = n
	b, err := json.Marshal(s.played)
	if err != nil {
		return err
	}
	return renameio.WriteFile(s.path("loopback", "story.json"), b, 0o600)
}

// play plays the steps that were not played before. With a ledger, each is seen in the vault before the next.
func (s *stage) play(ctx context.Context, steps []step, seen *ledger) error {
	act := "opening"
	if seen != nil {
		act = "live"
	} else {
		s.cast()
		s.castWhatsApp()
	}
	for i, st := range steps {
		if err := ctx.Err(); err != nil {
			return err
		}
		if i >= s.played[act] {
			if seen != nil {
				s.o.Say("%s: %s", st.ch, st.name)
			}
			if err := st.happen(s); err != nil {
				return fmt.Errorf("play %s on %s: %w", st.name, st.ch, err)
			}
			// History is many small steps; noting them one by one would cost a file each, and replaying them is harmless.
			if seen != nil || i == len(steps)-1 {
				if err := s.notePlayed(act, i+1); err != nil {
					return err
				}
			}
		}
		s.expect[st.ch] = s.expect[st.ch].plus(st.expect)
		if seen != nil {
			if err := s.await(ctx, st.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// happen plays the step on its platform.
func (st step) happen(s *stage) error {
	if st.wa != nil {
		return st.wa(s, s.wa.world.Channel(st.ch))
	}
	return st.play(s, s.world.Channel(st.ch))
}

func (e expectation) plus(o expectation) expectation {
	return expectation{e.Posts + o.Posts, e.Versions + o.Versions, e.Noticed + o.Noticed, e.Missing + o.Missing, e.Files + o.Files}
}

// again posts once to every channel in a run that continues an earlier one, so that each is seen to be watched again.
func (s *stage) again(ctx context.Context) error {
	if !s.fresh {
		s.o.Say("every channel posts once more, so that this run has something new to see")
	}
	for _, name := range []string{chNews, chUrdu, chPashto, chBalochi} {
		ch, n := s.world.Channel(name), 0
		for _, p := range ch.Posts() {
			if strings.HasPrefix(p.Text, textAgain) {
				n++
			}
		}
		if !s.fresh {
			n++
			ch.Post(telegramtest.Post{Text: fmt.Sprintf("%s %d", textAgain, n)})
		}
		s.expect[name] = s.expect[name].plus(expectation{Posts: n, Versions: n})
	}
	for _, invite := range []string{waNews, waUrdu} {
		n := s.againOnWhatsApp(s.wa.world.Channel(invite))
		s.expect[invite] = s.expect[invite].plus(expectation{Posts: n, Versions: n})
	}
	return s.await(ctx, "the new post of every channel")
}
