package whatsapp

import (
	"encoding/hex"
	"math"
	"strconv"
	"time"

	waBinary "go.mau.fi/whatsmeow/binary"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"

	"github.com/muhafiz/muhafiz/collectors/evidence"
)

// post is a message in our own words. The caller fills in who looked, when and by which acquisition.
type post struct {
	id      int
	message string // the platform's other id, that quotes use
	body    *evidence.PostSeen
	counts  evidence.Post
	files   []file
	deleted bool // the element says so; body is empty then
	bare    bool // counters alone
	quotes  string
}

// wire is what an element or an event tells of a message, before its content is read.
type wire struct {
	server    int64
	message   string
	at        int64 // Unix seconds
	edit      string
	editMS    int64
	original  int64 // Unix seconds
	plaintext []byte
	has       bool // there is a plaintext element, maybe without bytes
	bytes     bool // and it has bytes, maybe none of them
}

// The values of the edit attribute that stand for a deletion.
const (
	senderRevoke = string(types.EditAttributeSenderRevoke)
	adminRevoke  = string(types.EditAttributeAdminRevoke)
)

// maxNumber is the highest number that a post can have: the platform's are 32 bits wide.
const maxNumber = math.MaxInt32

// element reads a message element. The second result says why it is none.
func element(n *waBinary.Node) (post, string) {
	if n.Tag != "message" {
		return post{}, "not a message but " + strconv.Quote(clip(n.Tag))
	}
	w := wire{message: text(n, "id"), edit: text(n, "edit")}
	id, ok := number(n, "server_id")
	if !ok || id == 0 || id > maxNumber {
		return post{}, "no usable server_id: " + strconv.Quote(clip(text(n, "server_id")))
	}
	w.server = id
	w.at, _ = number(n, "t")
	if m := child(n, "meta"); m != nil {
		w.editMS, _ = number(m, "msg_edit_t")
		w.original, _ = number(m, "original_msg_t")
	}
	if p := child(n, "plaintext"); p != nil {
		w.has = true
		w.plaintext, w.bytes = p.Content.([]byte)
	}
	x := w.read()
	x.counts = counters(n, x.id, !w.has)
	x.bare = !w.has && !x.deleted && w.edit == "" && (told(x.counts) || text(n, "type") == "")
	return x, ""
}

// read translates a message.
func (w wire) read() post {
	x := post{id: int(w.server), message: w.message, body: &evidence.PostSeen{Method: evidence.MethodWhatsApp}}
	x.body.ClaimedAt = seconds(w.at)
	if w.original > 0 {
		x.body.ClaimedAt = seconds(w.original)
	}
	if w.editMS > 0 {
		x.body.EditedAt = evidence.At(time.UnixMilli(min(w.editMS, lastMS)))
	}
	if w.edit == adminRevoke || w.edit == senderRevoke {
		x.deleted = true
		return x
	}
	if !w.has || !w.bytes {
		mark(&x, "no_content")
		return x
	}
	var m waE2E.Message
	if err := proto.Unmarshal(w.plaintext, &m); err != nil {
		d := evidence.Sum(w.plaintext)
		x.body.Media = append(x.body.Media, evidence.Media{ID: "undecodable " + hex.EncodeToString(d[:]), Type: "undecodable", Size: int64(len(w.plaintext))})
		return x
	}
	x.content(&m, w.plaintext, 0)
	return x
}

// counters reads what an element counts. Numbers that are not told are -1; no views in an answer of counters alone are "not told" too.
func counters(n *waBinary.Node, id int, alone bool) evidence.Post {
	c := evidence.Post{Post: strconv.Itoa(id), Views: -1, Forwards: -1, Replies: -1}
	read := func(tag string, v *int64) {
		if e := child(n, tag); e != nil {
			if k, ok := number(e, "count"); ok {
				*v = k
			}
		}
	}
	read("views_count", &c.Views)
	read("forwards_count", &c.Forwards)
	if alone && c.Views == 0 {
		c.Views = -1
	}
	if e := child(n, "reactions"); e != nil {
		for _, k := range e.GetChildren() {
			if v, ok := number(&k, "count"); ok && k.Tag == "reaction" {
				if c.Reactions == nil {
					c.Reactions = map[string]int64{}
				}
				c.Reactions[clip(valid(text(&k, "code")))] += v
			}
		}
	}
	return c
}

func told(c evidence.Post) bool {
	return c.Views >= 0 || c.Forwards >= 0 || c.Replies >= 0 || len(c.Reactions) > 0
}

// The last moments that RFC 3339 can write.
const (
	lastSecond = 253402300799
	lastMS     = lastSecond*1000 + 999
)

// seconds reads the platform's time; 0 stands for "not told".
func seconds(sec int64) evidence.Time {
	if sec <= 0 || sec > lastSecond {
		return evidence.Time{}
	}
	return evidence.At(time.Unix(sec, 0))
}

func valid(s string) string {
	v, _ := evidence.ValidText(s)
	return v
}

// clip bounds what stands in a name or a reason.
func clip(s string) string {
	const most = 200
	if len(s) <= most {
		return valid(s)
	}
	return valid(s[:most]) + "…"
}

func mark(x *post, name string) {
	for _, m := range x.body.Marks {
		if m == name {
			return
		}
	}
	x.body.Marks = append(x.body.Marks, name)
}

func account(channel string) evidence.Name { return evidence.Account(platform, "channel", channel) }
