package audit

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// check is the whole check of an export but for the checkpoint's signature, in Python without any package. It stands in README.txt
// between the lines that a shell takes as its input.
const check = `import base64,hashlib,json
H=lambda b:hashlib.sha256(b).digest()
origin,size,root=open('checkpoint',encoding='utf-8').read().split('\n')[:3]
size=int(size);root=base64.b64decode(root);n=bodies=0;last=-1;leaves=[]
E,B,P=[open(f+'.jsonl','rb').read().split(b'\n') for f in('envelopes','bodies','proofs')]
assert len(E)==len(B)==len(P) and E[-1]==B[-1]==P[-1]==b'','the three files have not as many lines as one another'
for e,b,p in zip(E[:-1],B[:-1],P[:-1]):
    r,p=json.loads(e),json.loads(p);i,m,h=r['seq'],size-1,H(b'\0'+e);path=[base64.b64decode(x) for x in p['path']]
    assert last<i<size and p['seq']==i,('record out of order',i)
    while m:
        if i%2:h=H(b'\1'+path.pop(0)+h)
        elif i<m:h=H(b'\1'+h+path.pop(0))
        i,m=i//2,m//2
    assert h==root and not path,('record is not in the log that the checkpoint states',r['seq'])
    assert not b or hashlib.sha256(b).hexdigest()==r['body_sha256'],('body is not the one that was recorded',r['seq'])
    last=r['seq'];n+=1;bodies+=bool(b)
print(origin+': %d records proved under a log of %d, %d with their bodies'%(n,size,bodies))
print('complete: no record below the checkpoint is left out' if n==size else 'not complete: inclusion proofs do not show what was left out')`

// marker ends the script in README.txt.
const marker = "END-OF-CHECK"

func (x *exporter) readme(w io.Writer) error {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("Export of acts from the vault %s", x.o.Log.ID())
	p("Made %s by %s with %s", x.o.Now().UTC().Format(time.RFC3339), oneLine(x.o.By), oneLine(x.o.Build))
	p("Checkpoint: the first %d records. Acts written from %s until %s, and the roster from the beginning.", x.cp.Size, moment(x.o.Since, "the beginning"), moment(x.o.Until, "the checkpoint"))
	p("")
	p("%d acts, with %d envelopes in all:", x.res.Acts, x.res.Records)
	for _, k := range slices.Sorted(maps.Keys(x.res.Kinds)) {
		p("  %6d  %s%s", x.res.Kinds[k], oneLine(string(k)), withheld(x.res.Withheld[k]))
	}
	p("")
	p("checkpoint       signed note: origin, size and root hash of the log (C2SP tlog-checkpoint)")
	p("envelopes.jsonl  one record a line, the exact bytes that are leaves of the log's RFC 6962 tree")
	p("bodies.jsonl     same order: the exact body bytes; an empty line where the body is withheld or erased")
	p("proofs.jsonl     same order: the inclusion path from the leaf to the root")
	p("acts.txt         the acts in plain language: a reading aid, not proved")
	p("")
	p("What was published and seen is not in here: bodies of observations never are, and bodies of decisions, which quote posts, and of answers and disputes, which may name people, are %s.", map[bool]string{true: "here because they were asked for", false: "withheld"}[x.o.WithDecisions])
	p("Inclusion proofs do not show that nothing was left out. An export made with --complete does: it holds all envelopes.")
	p("")
	p("Check with the program, with the log's public key from another source than this folder:")
	p("")
	p("  muhafiz audit verify . --log KEY")
	p("")
	p("The key that the vault states for itself is %s", x.o.Log.LogKey())
	p("")
	p("Check without the program, in this folder, all but the signatures:")
	p("")
	p("python3 - <<'%s'\n%s\n%s", marker, check, marker)
	_, err := io.WriteString(w, b.String())
	return err
}

func withheld(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d without body", n)
}

func moment(t time.Time, otherwise string) string {
	if t.IsZero() {
		return otherwise
	}
	return t.UTC().Format(time.RFC3339)
}
