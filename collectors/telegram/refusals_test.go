package telegram_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotd/td/session"

	"github.com/muhafiz/muhafiz/collectors"
	"github.com/muhafiz/muhafiz/collectors/evidence"
	"github.com/muhafiz/muhafiz/collectors/telegram"
	"github.com/muhafiz/muhafiz/collectors/telegram/telegramtest"
	"github.com/muhafiz/muhafiz/collectors/vault"
)

// documented are the errors that https://core.telegram.org/methods names for each method that an observing source calls, as of layer
// 228, and those that https://core.telegram.org/api/errors names for all.
var documented = map[string]string{
	"channels.getChannels":    "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 400 MSG_ID_INVALID, 400 USER_BANNED_IN_CHANNEL",
	"channels.getFullChannel": "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 403 CHANNEL_PUBLIC_GROUP_NA, 400 CHAT_NOT_MODIFIED, 400 MSG_ID_INVALID",
	"channels.getMessages": "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 400 CHAT_NOT_MODIFIED, 400 FROZEN_PARTICIPANT_MISSING, 400 MESSAGE_IDS_EMPTY, " +
		"400 MSG_ID_INVALID, 400 USER_BANNED_IN_CHANNEL",
	"channels.joinChannel": "400 CHANNELS_TOO_MUCH, 400 CHANNEL_INVALID, 400 CHANNEL_MONOFORUM_UNSUPPORTED, 406 CHANNEL_PRIVATE, 400 CHAT_INVALID, " +
		"420 FROZEN_METHOD_INVALID, 400 INVITE_HASH_EMPTY, 406 INVITE_HASH_EXPIRED, 400 INVITE_HASH_INVALID, 400 INVITE_REQUEST_SENT, " +
		"400 MSG_ID_INVALID, 400 PEER_ID_INVALID, 400 USERS_TOO_MUCH, 400 USER_ALREADY_PARTICIPANT, 400 USER_CHANNELS_TOO_MUCH",
	"channels.leaveChannel": "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 403 CHANNEL_PUBLIC_GROUP_NA, 400 CHAT_INVALID, 400 MSG_ID_INVALID, " +
		"400 USER_BANNED_IN_CHANNEL, 400 USER_CREATOR, 400 USER_NOT_PARTICIPANT",
	"contacts.resolveUsername": "400 CONNECTION_LAYER_INVALID, 400 STARREF_EXPIRED, 400 USERNAME_INVALID, 400 USERNAME_NOT_OCCUPIED",
	"messages.getHistory": "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 400 CHAT_ID_INVALID, 400 CHAT_NOT_MODIFIED, 400 FROZEN_PARTICIPANT_MISSING, " +
		"400 MSG_ID_INVALID, 500 NEED_DOC_INVALID, 400 PEER_ID_INVALID, 400 TAKEOUT_INVALID, 500 VOLUME_MOVE_INVALID",
	"stories.getPeerStories": "400 CHANNEL_INVALID, 400 CHANNEL_PRIVATE, 400 MSG_ID_INVALID, 400 PEER_ID_INVALID",
	"stories.getStoriesByID": "400 CHANNEL_INVALID, 400 CHANNEL_PRIVATE, 400 MSG_ID_INVALID, 400 PEER_ID_INVALID, 400 STORIES_NEVER_CREATED, 400 STORY_ID_EMPTY",
	"updates.getChannelDifference": "400 CHANNEL_INVALID, 406 CHANNEL_PRIVATE, 403 CHANNEL_PUBLIC_GROUP_NA, 400 CHAT_NOT_MODIFIED, " +
		"403 CHAT_WRITE_FORBIDDEN, 400 FROM_MESSAGE_BOT_DISABLED, 400 FROZEN_PARTICIPANT_MISSING, 400 MSG_ID_INVALID, 500 NEED_DOC_INVALID, " +
		"400 PERSISTENT_TIMESTAMP_EMPTY, 400 PERSISTENT_TIMESTAMP_INVALID, 500 PERSISTENT_TIMESTAMP_OUTDATED, 400 PINNED_DIALOGS_TOO_MUCH, " +
		"400 RANGES_INVALID, 400 USER_BANNED_IN_CHANNEL",
	"upload.getFile": "400 CDN_METHOD_INVALID, 400 CHANNEL_INVALID, 400 CHANNEL_PRIVATE, 406 FILEREF_UPGRADE_NEEDED, 400 FILE_ID_INVALID, " +
		"400 FILE_REFERENCE_EMPTY, 400 FILE_REFERENCE_EXPIRED, 400 FILE_REFERENCE_INVALID, 420 FLOOD_PREMIUM_WAIT_3, 400 LIMIT_INVALID, " +
		"400 LOCATION_INVALID, 400 MSG_ID_INVALID, 400 OFFSET_INVALID, 400 PEER_ID_INVALID",
	"upload.getCdnFile":       "400 FILE_TOKEN_INVALID, 404 METHOD_INVALID",
	"upload.getCdnFileHashes": "400 CDN_METHOD_INVALID, 400 FILE_TOKEN_INVALID, 400 RSA_DECRYPT_FAILED",
	"upload.reuploadCdnFile": "400 CDN_METHOD_INVALID, 500 CDN_UPLOAD_TIMEOUT, 400 FILE_TOKEN_INVALID, 400 LOCATION_INVALID, 400 REQUEST_TOKEN_INVALID, " +
		"400 RSA_DECRYPT_FAILED",
	"users.getUsers": "400 CHANNEL_INVALID, 400 CHANNEL_MONOFORUM_UNSUPPORTED, 400 CHANNEL_PRIVATE, 400 FROM_MESSAGE_BOT_DISABLED, 400 MSG_ID_INVALID, " +
		"400 PEER_ID_INVALID, 400 USER_BANNED_IN_CHANNEL",
	"auth.exportAuthorization": "400 DC_ID_INVALID",
	"auth.importAuthorization": "400 AUTH_BYTES_INVALID, 400 USER_ID_INVALID",
	"help.getConfig": "400 CONNECTION_API_ID_INVALID, 400 CONNECTION_APP_VERSION_EMPTY, 400 CONNECTION_LAYER_INVALID, 400 DATA_INVALID, " +
		"400 MSG_ID_INVALID, 400 USERNAME_INVALID, 403 USER_PRIVACY_RESTRICTED",
	"help.getAppConfig": "",
	"help.getCdnConfig": "",
}

// ofAll are the errors that any method may be answered with, one that nobody has heard of, and no answer at all.
const ofAll = "303 FILE_MIGRATE_4, 303 NETWORK_MIGRATE_4, 303 USER_MIGRATE_4, " +
	"400 BOT_METHOD_INVALID, 400 INPUT_METHOD_INVALID, 400 INPUT_REQUEST_TOO_LONG, 400 CONNECTION_NOT_INITED, 400 SIMULATED_NEW_ERROR, " +
	"401 AUTH_KEY_UNREGISTERED, 401 AUTH_KEY_INVALID, 401 AUTH_KEY_PERM_EMPTY, 401 SESSION_EXPIRED, 401 SESSION_REVOKED, " +
	"401 SESSION_PASSWORD_NEEDED, 401 USER_DEACTIVATED, 401 USER_DEACTIVATED_BAN, 403 SIMULATED_NEW_ERROR, 404 METHOD_INVALID, " +
	"406 AUTH_KEY_DUPLICATED, 406 UPDATE_APP_TO_LOGIN, 406 SIMULATED_NEW_ERROR, " +
	"420 FLOOD_WAIT_30, 420 FLOOD_PREMIUM_WAIT_3, 420 SLOWMODE_WAIT_3, 420 FROZEN_METHOD_INVALID, 420 FROZEN_PARTICIPANT_MISSING, " +
	"500 RPC_CALL_FAIL, 500 RPC_MCGET_FAIL, 500 INTERNAL, 500 MSG_WAIT_FAILED, -503 Timeout, 0 " + cutOff + ", 0 " + noAnswer

// What is no error.
const (
	noAnswer = "(no answer)"
	cutOff   = "(the connection ends)"
)

// ofEachKind are some of them, which all methods are answered with. All of them are for a few methods, without the race detector and -short;
// MUHAFIZ_SOAK_ERRORS has all of them played for all methods.
const ofEachKind = "400 SIMULATED_NEW_ERROR, 401 AUTH_KEY_UNREGISTERED, 401 USER_DEACTIVATED, 420 FLOOD_WAIT_30, 500 INTERNAL, 0 " + noAnswer

// errorsOf returns a method's errors: its own and those of all.
func errorsOf(method string) (codes []int, types []string) {
	general := ofEachKind
	inFull := slices.Contains([]string{"messages.getHistory", "channels.getFullChannel", "contacts.resolveUsername"}, method)
	if os.Getenv("MUHAFIZ_SOAK_ERRORS") != "" || inFull && !raceEnabled && !testing.Short() {
		general = ofAll
	}
	list := strings.TrimPrefix(documented[method]+", "+general, ", ")
	for e := range strings.SplitSeq(list, ", ") {
		code, typ, _ := strings.Cut(e, " ")
		n, _ := strconv.Atoi(code)
		if !slices.Contains(types, typ) || !slices.Contains(codes, n) {
			codes, types = append(codes, n), append(types, typ)
		}
	}
	return codes, types
}

func makesKeys(method string) bool {
	return strings.HasPrefix(method, "auth.") || strings.Contains(method, "Cdn")
}

// bubble is a server in memory with an account that is logged in.
type bubble struct {
	*lab
	t *testing.T
}

func inBubble(t *testing.T, o telegramtest.Options, f func(*bubble)) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		o.Memory, o.Ledger, o.PollTimeout = true, &ledger, 30
		w := telegramtest.NewWorld(nil)
		srv, err := telegramtest.Serve(context.Background(), w, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { srv.Close() })
		b := &bubble{&lab{srv: srv, world: w, store: &session.StorageMemory{}}, t}
		b.login(t)
		f(b)
	})
}

func (b *bubble) login(t *testing.T) {
	a := telegramtest.DefaultAccount()
	err := telegram.Login(t.Context(), b.options(t), telegram.Authenticator{Phone: a.Phone, Code: func(context.Context) (string, error) { return a.Code, nil }})
	if err != nil {
		t.Fatal(err)
	}
}

// options are those of a source that is in no hurry.
func (b *bubble) options(t *testing.T) telegram.Options {
	o := b.lab.options(t)
	o.Network.Dial = b.srv.Dial
	return telegram.Options{
		Alias: o.Alias, AppID: o.AppID, AppHash: o.AppHash, Session: o.Session, Build: o.Build, Network: o.Network, Log: o.Log,
		RotateMin: 10 * time.Minute, RotateMax: 15 * time.Minute, RecheckEvery: 20 * time.Minute, FoldEvery: time.Hour, PollEvery: 5 * time.Minute,
	}
}

// TestEveryDocumentedErrorIsRecordedRefusedOrRetried has the platform answer each method with each error, for the better
// part of an hour, and the most frequent methods once before. Whatever it is, the source ends only for the loss of our account, asks no more than its budget allows, and some hours after the
// trouble is over all posts are recorded and all files are kept, or missed with a reason.
func TestEveryDocumentedErrorIsRecordedRefusedOrRetried(t *testing.T) {
	for _, method := range telegram.Methods() {
		t.Run(method, func(t *testing.T) {
			if _, ok := documented[method]; !ok {
				t.Fatal("is called, and its errors are not listed here")
			}
			o := telegramtest.Options{}
			switch {
			case strings.HasPrefix(method, "auth."):
				o.FileDC = 4
			case strings.Contains(method, "Cdn"):
				o.CDN = 203
			}
			inBubble(t, o, func(b *bubble) { b.refusals(method) })
		})
	}
}

func (b *bubble) refusals(method string) {
	codes, types := errorsOf(method)
	for i, typ := range types {
		if codes[i] == 303 && strings.HasPrefix(method, "auth.") {
			continue // the client asks for these itself, under the lock that it would need to go elsewhere
		}
		ch := b.channel(b.t, 2)
		ch.Story(telegramtest.Story{Caption: "Simulated story", Brief: true, Expires: int(time.Now().Add(90 * 24 * time.Hour).Unix()), Photo: photo(500)})
		tg := target(ch)
		tg.Mode = map[string]string{
			"channels.joinChannel": collectors.ModeJoined, "channels.leaveChannel": collectors.ModeJoined,
			"updates.getChannelDifference": collectors.ModePoll, "channels.getMessages": collectors.ModePoll,
		}[method]
		x := refusal{bubble: b, method: method, code: codes[i], typ: typ, ch: ch, v: newVault(b.t, tg), tg: tg}
		if method == "upload.getCdnFileHashes" {
			x.size = 1 << 20 // the first hashes come unasked
		}
		x.play()
		outcome := x.outcome()
		b.t.Logf("%-28s %4d %-34s %s", method, x.code, x.typ, outcome)
		if want := x.wanted(); !want.MatchString(outcome) {
			b.t.Errorf("%s: %d %s: came out as %q, which is not %q", method, x.code, x.typ, outcome, want)
		}
	}
}

// wanted says what must become of an error.
func (x *refusal) wanted() *regexp.Regexp {
	// The platform's settings may stay unknown, and what the client asks for itself to reach a file comes out as the file's failure.
	own := x.method == "help.getAppConfig" || x.method == "help.getConfig"
	files := makesKeys(x.method)
	want := "gap|missed|account failed" // a refusal has a reason
	states := map[string]string{
		"AUTH_KEY_UNREGISTERED": "logged-out", "AUTH_KEY_INVALID": "logged-out", "AUTH_KEY_PERM_EMPTY": "logged-out", "SESSION_EXPIRED": "logged-out",
		"SESSION_REVOKED": "logged-out", "AUTH_KEY_DUPLICATED": "logged-out", "SESSION_PASSWORD_NEEDED": "needs-password",
		"USER_DEACTIVATED": "banned", "USER_DEACTIVATED_BAN": "banned", "FROZEN_METHOD_INVALID": "frozen", "FROZEN_PARTICIPANT_MISSING": "frozen",
	}
	state := states[x.typ]
	switch {
	case own || files:
		want += "|asked|account " + state
	case state != "":
		want = "account " + state + ", gap (account-lost|not-authorised)"
	case strings.HasPrefix(x.typ, "FLOOD_"):
		want = "account flood-waiting"
	case x.code <= 0 || x.code == 303 || x.code >= 500:
		want += "|asked [0-9]+ times" // until it was over
	case x.method == "channels.joinChannel":
		want += "|not joined"
		if x.typ == "USER_ALREADY_PARTICIPANT" {
			want = "asked 1 times"
		}
	case x.method == "channels.leaveChannel" && x.typ == "USER_NOT_PARTICIPANT":
		want = "asked 1 times"
	case strings.HasPrefix(x.method, "stories.") && strings.HasPrefix(x.typ, "CHANNEL_"):
		want += "|asked 2 times" // who it is was looked up, and it is there
	case strings.HasPrefix(x.typ, "FILE_REFERENCE_"):
		want += "|asked [0-9]+ times" // a new one was got
	}
	return regexp.MustCompile(want)
}

func (x *refusal) answer(times int) {
	switch x.typ {
	case noAnswer:
		x.srv.Stall(x.method, times)
	case cutOff:
		for range min(times, 40) {
			x.srv.DropAfter(x.method)
		}
	default:
		x.srv.Fail(x.method, x.code, x.typ, times)
	}
}

// outcome says in the words of the records what became of an error: it was recorded, refused with a reason, or asked again until it was over.
func (x *refusal) outcome() string {
	said := map[string]bool{}
	for _, r := range records(x.t, x.v) {
		switch b := r.body.(type) {
		case *evidence.Collector:
			if strings.Contains(b.Detail, "could not be joined") {
				said["not joined, and polled"] = true
			}
			switch b.State {
			case "flood-waiting", "failed", "logged-out", "banned", "frozen", "needs-password":
				said["account "+b.State] = true
			}
		case *evidence.Gap:
			if b.Cause != "restart" {
				said["gap "+b.Cause] = true
			}
		case *evidence.Status:
			said["status "+b.State+" "+b.Because] = true
		case *evidence.MediaMissed:
			said["missed "+b.Reason] = true
		}
	}
	if len(said) == 0 {
		return fmt.Sprintf("asked %d times", x.asked)
	}
	return strings.Join(slices.Sorted(maps.Keys(said)), ", ")
}

// refusal is one error of one method.
type refusal struct {
	*bubble
	method string
	code   int
	typ    string
	ch     *telegramtest.Channel
	size   int // of the photos, beyond the least
	asked  int // while it was answered so
	v      *vault.Vault
	tg     collectors.Target
}

func (x *refusal) play() {
	what := fmt.Sprintf("%d %s", x.code, x.typ)
	if x.method == "channels.leaveChannel" { // joined, and then no longer
		l := x.live(x.v, x.tg)
		<-time.After(time.Minute)
		_ = l.stop()
		x.tg.Mode = ""
	}
	long := 1_000_000
	if makesKeys(x.method) {
		long = 5 // each try makes a key, which takes a second of this machine
	}
	trials := []int{long}
	if x.method == "messages.getHistory" || x.method == "upload.getFile" || x.method == "contacts.resolveUsername" {
		trials = []int{1, long}
	}
	for i, times := range trials {
		if strings.Contains(x.method, "Cdn") {
			x.srv.ServeFromCDN(strings.Contains(x.method, "reupload"))
		}
		before := x.srv.CallCount(x.method)
		x.answer(times)
		live := x.live(x.v, x.tg)
		x.ch.Post(telegramtest.Post{Text: "Simulated photo", Photo: photo(1000 + i + x.size)})
		<-time.After(time.Minute)
		switch x.method {
		case "channels.getChannels": // asked where the channel is no longer there
			x.ch.MakePrivate()
		case "channels.getMessages": // asked where the changes are no longer told one by one
			x.srv.TooLong(x.ch)
		}
		<-time.After(45 * time.Minute)
		if n, most := x.srv.CallCount(x.method)-before, 1000; n > most {
			x.t.Errorf("%s: was asked for %d times in three quarters of an hour", what, n)
		}
		x.asked += x.srv.CallCount(x.method) - before
		if once := i > 0 && x.method == "contacts.resolveUsername"; !once && x.srv.CallCount(x.method) == before {
			x.t.Errorf("%s: did not happen", what)
		}
		x.srv.Calm()
		if x.method == "channels.getChannels" {
			x.ch.Return(x.tg.ID)
		}
		if lost := x.over(live); lost != nil {
			if last := lastState(records(x.t, x.v)); !slices.Contains([]string{"logged-out", "banned", "frozen", "needs-password"}, last.State) {
				x.t.Errorf("%s: ended with %v, and recorded %+v", what, lost, last)
			}
			live = x.live(x.v, x.tg) // a person mended it
		}
		<-time.After(4 * time.Hour)
		err := live.stop()
		x.settled(what, err, i+1)
	}
}

// over returns the error with which the source ended for good, nil where it goes on.
func (x *refusal) over(l *living) error {
	select {
	case <-l.done:
		return l.err
	default:
		return nil
	}
}

func (x *refusal) settled(what string, err error, files int) {
	rs := records(x.t, x.v)
	if n := len(x.ch.Posts()); len(postsOf(rs)) != n || err != nil {
		x.t.Errorf("%s: %d of %d posts are recorded: %v, %q", what, len(postsOf(rs)), n, err, states(rs))
	}
	settled := map[string]bool{}
	for _, r := range rs {
		switch r.body.(type) {
		case *evidence.MediaKept, *evidence.MediaMissed:
			if !strings.HasPrefix(r.Subject.Part(), "s") {
				settled[r.Subject.Part()] = true
			}
		}
	}
	if len(settled) != files {
		x.t.Errorf("%s: %d of %d files are kept or missed: %q", what, len(settled), files, states(rs))
	}
}

// postsOf returns the numbers of the posts that were seen, without stories.
func postsOf(rs []record) map[string]bool {
	out := map[string]bool{}
	for _, r := range rs {
		if _, ok := r.body.(*evidence.PostSeen); ok && !strings.HasPrefix(r.Subject.Part(), "s") {
			out[r.Subject.Part()] = true
		}
	}
	return out
}

func states(rs []record) (out []string) {
	for _, r := range rs {
		switch b := r.body.(type) {
		case *evidence.Collector:
			out = append(out, b.State+" "+b.Detail)
		case *evidence.Gap:
			out = append(out, "gap "+b.Cause+" "+b.Detail)
		}
	}
	return out[max(0, len(out)-12):]
}

// living is a source that is kept running as by the daemon.
type living struct {
	cancel context.CancelFunc
	done   chan struct{}
	err    error // that ended it for good
}

func (b *bubble) live(v collectors.Sink, targets ...collectors.Target) *living {
	ctx, cancel := context.WithCancel(context.Background())
	l := &living{cancel: cancel, done: make(chan struct{})}
	src := telegram.New(b.options(b.t))
	src.Watch(targets)
	sup := &collectors.Supervisor{
		Sink: v, Now: time.Now, After: time.After, Min: time.Second, Max: 5 * time.Minute,
		Failed: func(_ string, err error, permanent bool) {
			if permanent {
				l.err = err
			}
		},
	}
	go func() {
		defer close(l.done)
		if err := sup.Run(ctx, src); err != nil {
			l.err = err
		}
	}()
	return l
}

func (l *living) stop() error {
	l.cancel()
	<-l.done
	return l.err
}
