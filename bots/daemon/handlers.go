package daemon

import (
	"net/http"
)

// Handler serves the control socket. Every subcommand goes through it, whether a daemon runs or not.
func (r *Rooms) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", handle(r, r.status))
	mux.HandleFunc("GET /metrics", r.serveMetrics)
	mux.HandleFunc("POST /v1/accounts/resume", handle(r, r.resumeAccount))
	mux.HandleFunc("POST /v1/alerts/test", handle(r, r.testAlerts))
	mux.HandleFunc("GET /v1/plan", handle(r, r.plan))
	mux.HandleFunc("GET /v1/coverage", handle(r, r.coverage))
	mux.HandleFunc("POST /v1/reload", handle(r, r.reloadConfig))

	mux.HandleFunc("GET /v1/targets", handle(r, r.targets))
	mux.HandleFunc("GET /v1/targets/known", handle(r, r.knownTargets))
	mux.HandleFunc("GET /v1/targets/show", handle(r, r.showTarget))
	mux.HandleFunc("POST /v1/targets/remove", handle(r, r.removeTarget))
	mux.HandleFunc("POST /v1/targets/sign/prepare", handle(r, r.prepareListing))
	mux.HandleFunc("POST /v1/targets/sign", handle(r, r.signListing))
	mux.HandleFunc("POST /v1/targets/prepare", handle(r, r.prepareTarget))
	mux.HandleFunc("POST /v1/targets/approve", handle(r, r.approveTarget))
	mux.HandleFunc("POST /v1/targets/confirm/prepare", handle(r, r.prepareIdentity))
	mux.HandleFunc("POST /v1/targets/confirm", handle(r, r.confirmIdentity))
	mux.HandleFunc("POST /v1/targets/suspend", handle(r, r.suspendTarget))
	mux.HandleFunc("POST /v1/targets/mark", handle(r, r.markTarget))
	mux.HandleFunc("POST /v1/targets/relist/prepare", handle(r, r.prepareRelisting))
	mux.HandleFunc("POST /v1/targets/relist", handle(r, r.relistTarget))
	mux.HandleFunc("GET /v1/targets/redress", handle(r, r.redress))

	mux.HandleFunc("GET /v1/review/queue", handle(r, r.queue))
	mux.HandleFunc("GET /v1/review/cases", handle(r, r.cases))
	mux.HandleFunc("GET /v1/review/show", handle(r, r.show))
	mux.HandleFunc("GET /v1/review/case", handle(r, r.showCase))
	mux.HandleFunc("POST /v1/review/decision/prepare", handle(r, r.prepareDecision))
	mux.HandleFunc("POST /v1/review/decision", handle(r, r.decide))
	mux.HandleFunc("POST /v1/review/approval/prepare", handle(r, r.prepareApproval))
	mux.HandleFunc("POST /v1/review/approval", handle(r, r.approve))
	mux.HandleFunc("POST /v1/review/adjudication/prepare", handle(r, r.prepareAdjudication))
	mux.HandleFunc("POST /v1/review/adjudication", handle(r, r.adjudicate))

	mux.HandleFunc("GET /v1/notices", handle(r, r.notices))
	mux.HandleFunc("GET /v1/notices/show", handle(r, r.showNotice))
	mux.HandleFunc("POST /v1/notices/run", handle(r, r.runReporter))
	mux.HandleFunc("POST /v1/notices/resolve", handle(r, r.resolveNotice))
	r.answersTo(mux)
	r.retentionTo(mux)

	mux.HandleFunc("GET /v1/today", handle(r, r.today))
	mux.HandleFunc("GET /v1/log", handle(r, r.readLog))
	mux.HandleFunc("POST /v1/audits", handle(r, r.exportAudit))

	mux.HandleFunc("GET /v1/checkpoints", handle(r, r.checkpoints))
	mux.HandleFunc("POST /v1/checkpoints/export", handle(r, r.exportCheckpoint))
	mux.HandleFunc("POST /v1/checkpoints/compare", handle(r, r.compareCheckpoint))
	mux.HandleFunc("POST /v1/checkpoints/accept", handle(r, r.acceptCosignatures))
	mux.HandleFunc("POST /v1/checkpoints/stamp", handle(r, r.stampNow))
	mux.HandleFunc("POST /v1/keys/rotate", handle(r, r.rotateKey))

	mux.HandleFunc("POST /v1/bundles", handle(r, r.buildBundle))
	mux.HandleFunc("POST /v1/backups", handle(r, r.makeBackup))
	mux.HandleFunc("POST /v1/scrubs", handle(r, r.scrubNow))
	mux.HandleFunc("POST /v1/imports", handle(r, r.importFile))

	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		writeError(w, http.StatusNotFound, "not-found", "There is no "+req.Method+" "+req.URL.Path+" here: the program and the daemon are of different builds. Restart the daemon.")
	})
	return mux
}

// none is the request of what takes no body.
type none struct{}
