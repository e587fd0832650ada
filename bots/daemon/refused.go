package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/reporter/review"
)

// claim is who a request speaks for and what it is about, as it says itself.
type claim struct {
	Person  string   `json:"person"`
	Case    string   `json:"case"`
	Target  string   `json:"target"`
	Notice  string   `json:"notice"`
	Account string   `json:"account"`
	Post    string   `json:"post"`
	Posts   []string `json:"posts"`
	Root    string   `json:"root"` // of a list of targets
	Signed  struct {
		Payload string `json:"payload"`
	} `json:"signed"`
}

// named reads the claim of a request body, which was seen to be JSON. A field of another type than here is left empty.
func (c *call) named(body []byte) { _ = json.Unmarshal(body, &c.says) }

func (c *call) asked(q url.Values) {
	c.says = claim{
		Person: q.Get("person"), Case: q.Get("case"), Target: q.Get("target"), Notice: q.Get("notice"),
		Account: q.Get("account"), Post: q.Get("post"),
	}
}

// about names what the request is about, the case or the list of a signed statement included.
func (c claim) about() string {
	var st struct {
		Case  string `json:"case"`
		Lists struct {
			Root string `json:"root"`
		} `json:"lists"`
	}
	_ = json.Unmarshal([]byte(c.Signed.Payload), &st)
	for _, s := range append([]string{c.Case, c.Target, c.Notice, c.Account, c.Post, c.Root, st.Case, st.Lists.Root}, c.Posts...) {
		if s != "" {
			return strings.ToValidUTF8(s[:min(len(s), 80)], "")
		}
	}
	return ""
}

// noteRefusal records that a person of the roster was refused an act: an attempt is worth as much to an auditor as an act. One that
// cannot be recorded is refused all the same.
func (r *Rooms) noteRefusal(c *call, err error) {
	var no *review.Refusal
	if !errors.As(err, &no) {
		return
	}
	// The one who asked may have hung up already.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.Context()), 10*time.Second)
	defer cancel()
	p, perr := r.Desk.Person(ctx, c.says.Person)
	if perr != nil {
		return
	}
	who := evidence.Person(p.ID)
	werr := r.write(ctx, who, who, &evidence.Refused{
		What: c.Method + " " + c.URL.Path, About: c.says.about(), Code: string(no.Code), Person: p.ID,
	})
	if werr != nil {
		r.Log.Error().Err(werr).Str("path", c.URL.Path).Msg("a refusal was not recorded")
	}
}
