package events

// The subjects on which services answer requests.
const (
	SubjectStatusGet       = "svc.status.get"
	SubjectStatusList      = "svc.status.list"
	SubjectStatusCancel    = "svc.status.cancel"
	SubjectStatusRetry     = "svc.status.retry"
	SubjectStatusReconcile = "svc.status.reconcile"
	SubjectStatusWaiting   = "svc.status.waiting"
	SubjectIngesterLedger  = "svc.ingester.ledger"
	SubjectIngesterReport  = "svc.ingester.report"
	SubjectIngesterPreview = "svc.ingester.preview"
	SubjectIngesterDrop    = "svc.ingester.drop"
	SubjectIngesterWorkers = "svc.ingester.workers" // which every ingester answers
)

// JobSubjects matches the subject of every job's message.
const JobSubjects = "jobs.*.*"

// EventSubjects matches the subject of every event.
const EventSubjects = "events.*.*"

// JobSubject is where a job's message waits.
func JobSubject(p Priority, jobID string) string { return "jobs." + string(p) + "." + jobID }

// LaneSubjects matches the messages of one priority.
func LaneSubjects(p Priority) string { return "jobs." + string(p) + ".*" }

// EventSubject is where an event is published.
func EventSubject(jobID string, t Type) string { return "events." + jobID + "." + string(t) }

// JobEventSubjects matches the events of one job.
func JobEventSubjects(jobID string) string { return "events." + jobID + ".*" }
