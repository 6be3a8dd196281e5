BEGIN TRANSACTION;
CREATE TABLE campaigns (
	number BIGINT NOT NULL, 
	name VARCHAR(200) NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (name)
)
 WITHOUT ROWID

;
CREATE TABLE findings (
	recording BIGINT NOT NULL, 
	number BIGINT NOT NULL, 
	rule VARCHAR(200) NOT NULL, 
	level VARCHAR(200) NOT NULL, 
	confidence VARCHAR(200) NOT NULL, 
	data VARCHAR(200), 
	host TEXT, 
	recipient VARCHAR(200), 
	sdk VARCHAR(200), 
	consent VARCHAR(200), 
	finding TEXT NOT NULL, 
	PRIMARY KEY (recording, number)
)
 WITHOUT ROWID

;
CREATE TABLE flows (
	recording BIGINT NOT NULL, 
	id VARCHAR(200) NOT NULL, 
	number BIGINT NOT NULL, 
	access VARCHAR(200), 
	upload VARCHAR(200) NOT NULL, 
	connection VARCHAR(200), 
	data VARCHAR(200) NOT NULL, 
	consent VARCHAR(200) NOT NULL, 
	host TEXT NOT NULL, 
	recipient VARCHAR(200) NOT NULL, 
	sdk VARCHAR(200), 
	other_app BOOLEAN NOT NULL, 
	party VARCHAR(200) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	flow TEXT NOT NULL, 
	PRIMARY KEY (recording, id)
)
 WITHOUT ROWID

;
CREATE TABLE found_gaps (
	recording BIGINT NOT NULL, 
	number BIGINT NOT NULL, 
	subject TEXT NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	gap TEXT NOT NULL, 
	PRIMARY KEY (recording, number)
)
 WITHOUT ROWID

;
CREATE TABLE index_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
)
 WITHOUT ROWID

;
INSERT INTO "index_version" VALUES(10);
CREATE TABLE lines (
	recording BIGINT NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	raw BLOB NOT NULL, 
	PRIMARY KEY (recording, kind, line)
);
CREATE TABLE matches (
	recording BIGINT NOT NULL, 
	flow VARCHAR(200) NOT NULL, 
	number BIGINT NOT NULL, 
	type TEXT NOT NULL, 
	value TEXT NOT NULL, 
	variant TEXT NOT NULL, 
	path TEXT NOT NULL, 
	confidence DOUBLE NOT NULL, 
	"match" TEXT NOT NULL, 
	PRIMARY KEY (recording, flow, number)
)
 WITHOUT ROWID

;
CREATE TABLE positions (
	recording BIGINT NOT NULL, 
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	digest VARCHAR(200) NOT NULL, 
	PRIMARY KEY (recording, kind)
)
 WITHOUT ROWID

;
CREATE TABLE recordings (
	number BIGINT NOT NULL, 
	id VARCHAR(200) NOT NULL, 
	campaign VARCHAR(200) NOT NULL, 
	path TEXT NOT NULL, 
	lines BOOLEAN NOT NULL, 
	package VARCHAR(200) NOT NULL, 
	app VARCHAR(200) NOT NULL, 
	device VARCHAR(200) NOT NULL, 
	"plan" VARCHAR(200) NOT NULL, 
	started VARCHAR(40) NOT NULL, 
	ended VARCHAR(40), 
	run TEXT NOT NULL, 
	judged_by VARCHAR(200), 
	turn VARCHAR(200), 
	reads BIGINT NOT NULL, 
	uploads BIGINT NOT NULL, 
	sought BOOLEAN NOT NULL, 
	asked BOOLEAN, 
	gaps BIGINT NOT NULL, 
	PRIMARY KEY (number), 
	UNIQUE (id)
)
 WITHOUT ROWID

;
INSERT INTO "recordings" VALUES(1,'sent-before-consent','','RECORDING',1,'com.example.shop','com.example.shop','hand-made','accept','2026-03-14T09:00:00.000000Z','2026-03-14T09:01:00.000000Z','{"v":1,"id":"sent-before-consent","app":{"package":"com.example.shop","version":"1.0"},"app_type":null,"device":{"serial":"hand-made","kind":"lab"},"plan":"accept","observers":{"hooks":true,"proxy":true,"consent":true,"persona":null},"persona":[],"started":"2026-03-14T09:00:00.000000Z","ended":"2026-03-14T09:01:00.000000Z","clock_offset_ms":0.0,"versions":{},"operator":"by hand"}','9614f0eb4ae7e5af618625a4b8b3c5cf6ec5713dd8af61f74aa8b2ee2b50733e',NULL,1,1,1,1,0);
CREATE INDEX recordings_ranked ON recordings (number, judged_by, app, package, campaign, asked, uploads, reads, sought, gaps, id);
CREATE INDEX ix_recordings_campaign ON recordings (campaign);
CREATE INDEX ix_recordings_started ON recordings (started);
CREATE INDEX flows_of_host ON flows (host);
CREATE INDEX flows_ranked ON flows (recipient, data, sdk, consent, other_app, recording);
CREATE INDEX findings_ranked ON findings (rule, data, recipient, sdk, consent, level, recording);
CREATE VIEW accesses AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'source' AS "source", body ->> 'target' AS "target", body ->> 'data' AS "data", body ->> 'values' AS "values", body ->> 'outcome' AS "outcome", body ->> 'args' AS "args", body ->> 'stack' AS "stack", body ->> 'stack_cut' AS "stack_cut", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread", body ->> 'count' AS "count", body ->> 'until' AS "until" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'access' AND body IS NOT NULL;
CREATE VIEW transforms AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'op' AS "op", body ->> 'algorithm' AS "algorithm", body ->> 'input' AS "input", body ->> 'output' AS "output", body ->> 'key' AS "key", body ->> 'iv' AS "iv", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'transform' AND body IS NOT NULL;
CREATE VIEW connections AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'op' AS "op", body ->> 'local' AS "local", body ->> 'remote' AS "remote", body ->> 'host' AS "host", body ->> 'transport' AS "transport", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread", body ->> 'sent' AS "sent", body ->> 'announced' AS "announced" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'connection' AND body IS NOT NULL;
CREATE VIEW uploads AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'via' AS "via", body ->> 'method' AS "method", body ->> 'url' AS "url", body ->> 'host' AS "host", body ->> 'headers' AS "headers", body ->> 'body' AS "body", body ->> 'size' AS "size", body ->> 'type' AS "type", body ->> 'truncated' AS "truncated", body ->> 'client' AS "client", body ->> 'server' AS "server", body ->> 'tls' AS "tls", body ->> 'status' AS "status", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'announced' AS "announced", body ->> 'answered' AS "answered", body ->> 'tls_unknown' AS "tls_unknown" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'upload' AND body IS NOT NULL;
CREATE VIEW consents AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'signal' AS "signal", body ->> 'status' AS "status", body ->> 'scope' AS "scope", body ->> 'data' AS "data", body ->> 'by' AS "by", body ->> 'text' AS "text", body ->> 'note' AS "note", body ->> 'stack' AS "stack", body ->> 'clock' AS "clock", body ->> 'corrects' AS "corrects", body ->> 'retracts' AS "retracts", body ->> 'ticked' AS "ticked", body ->> 'at_start' AS "at_start", body ->> 'value' AS "value" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'consent' AND body IS NOT NULL;
CREATE VIEW phases AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'state' AS "state", body ->> 'text' AS "text", body ->> 'by' AS "by" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'phase' AND body IS NOT NULL;
CREATE VIEW screens AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'what' AS "what", body ->> 'windows' AS "windows", body ->> 'touched' AS "touched", body ->> 'number' AS "number", body ->> 'since' AS "since", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'package' AS "package", body ->> 'activity' AS "activity", body ->> 'tree' AS "tree", body ->> 'image' AS "image", body ->> 'film' AS "film", body ->> 'why' AS "why", body ->> 'by' AS "by", body ->> 'note' AS "note" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'screen' AND body IS NOT NULL;
CREATE VIEW witnesses AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'by' AS "by", body ->> 'subject' AS "subject", body ->> 'data' AS "data", body ->> 'count' AS "count", body ->> 'size' AS "size", body ->> 'received' AS "received", body ->> 'from' AS "from", body ->> 'until' AS "until", body ->> 'tag' AS "tag", body ->> 'on_behalf' AS "on_behalf", body ->> 'detail' AS "detail", body ->> 'raw' AS "raw" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'witness' AND body IS NOT NULL;
CREATE VIEW gaps AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'where' AS "where", body ->> 'subject' AS "subject", body ->> 'why' AS "why", body ->> 'detail' AS "detail", body ->> 'until' AS "until", body ->> 'client' AS "client", body ->> 'sni' AS "sni", body ->> 'alert' AS "alert", body ->> 'announced' AS "announced", body ->> 'body' AS "body" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'gap' AND body IS NOT NULL;
COMMIT;
