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
	number BIGINT NOT NULL, 
	rule VARCHAR(200) NOT NULL, 
	level VARCHAR(200) NOT NULL, 
	confidence VARCHAR(200) NOT NULL, 
	data TEXT, 
	host TEXT, 
	finding TEXT NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (number, recording)
)
 WITHOUT ROWID

;
CREATE TABLE flows (
	id VARCHAR(200) NOT NULL, 
	number BIGINT NOT NULL, 
	access VARCHAR(200), 
	upload VARCHAR(200) NOT NULL, 
	connection VARCHAR(200), 
	data TEXT NOT NULL, 
	consent VARCHAR(200) NOT NULL, 
	host TEXT NOT NULL, 
	party VARCHAR(200) NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	flow TEXT NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (id, recording)
)
 WITHOUT ROWID

;
CREATE TABLE found_gaps (
	number BIGINT NOT NULL, 
	subject TEXT NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	gap TEXT NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (number, recording)
)
 WITHOUT ROWID

;
CREATE TABLE index_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
)
 WITHOUT ROWID

;
INSERT INTO "index_version" VALUES(7);
CREATE TABLE lines (
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	raw BLOB NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (kind, line, recording)
);
CREATE TABLE matches (
	flow VARCHAR(200) NOT NULL, 
	number BIGINT NOT NULL, 
	type TEXT NOT NULL, 
	value TEXT NOT NULL, 
	variant TEXT NOT NULL, 
	path TEXT NOT NULL, 
	confidence DOUBLE NOT NULL, 
	"match" TEXT NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (flow, number, recording)
)
 WITHOUT ROWID

;
CREATE TABLE positions (
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	digest VARCHAR(200) NOT NULL, 
	recording BIGINT NOT NULL, 
	PRIMARY KEY (kind, recording)
)
 WITHOUT ROWID

;
CREATE TABLE recordings (
	number BIGINT NOT NULL, 
	id VARCHAR(200) NOT NULL, 
	campaign VARCHAR(200) NOT NULL, 
	path TEXT NOT NULL, 
	package TEXT NOT NULL, 
	device VARCHAR(200) NOT NULL, 
	"plan" VARCHAR(200) NOT NULL, 
	started VARCHAR(40) NOT NULL, 
	ended VARCHAR(40), 
	run TEXT NOT NULL, 
	judged_by VARCHAR(200), 
	turn VARCHAR(200), 
	PRIMARY KEY (number), 
	UNIQUE (id)
)
 WITHOUT ROWID

;
INSERT INTO "recordings" VALUES(1,'sent-before-consent','','RECORDING','com.example.shop','hand-made','accept','2026-03-14T09:00:00.000000Z','2026-03-14T09:01:00.000000Z','{"v":1,"id":"sent-before-consent","app":{"package":"com.example.shop","version":"1.0","version_code":null,"apk_sha256":null,"certificate_sha256":null,"facts":{}},"app_type":null,"device":{"serial":"hand-made","model":null,"release":null,"api_level":null,"kind":"lab","facts":{}},"plan":"accept","observers":{"hooks":true,"proxy":true,"consent":true,"persona":null,"hooks_failed":false,"witnesses":false,"stamped":"during"},"source":[],"persona":[],"hooks":{},"started":"2026-03-14T09:00:00.000000Z","ended":"2026-03-14T09:01:00.000000Z","clock_offset_ms":0.0,"clock_uncertainty_ms":0.0,"clock_drift_ms":null,"clock":[],"unpin":false,"unpinned":{},"sockets_watched":false,"proxy":null,"changes":[],"notes":[],"route":{},"root":null,"user":null,"install_ms":null,"times":{},"probe":null,"unhooked":null,"versions":{},"operator":"by hand","campaign":null,"shared":null}','7d245f8bfdaba77d6a16aa6e1be2055807e1af3976159b73305dfb764ddd5301',NULL);
CREATE INDEX ix_recordings_started ON recordings (started);
CREATE INDEX ix_recordings_campaign ON recordings (campaign);
CREATE VIEW accesses AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'source' AS "source", body ->> 'target' AS "target", body ->> 'data' AS "data", body ->> 'values' AS "values", body ->> 'outcome' AS "outcome", body ->> 'args' AS "args", body ->> 'stack' AS "stack", body ->> 'stack_cut' AS "stack_cut", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread", body ->> 'count' AS "count", body ->> 'until' AS "until" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'access' AND body IS NOT NULL;
CREATE VIEW transforms AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'op' AS "op", body ->> 'algorithm' AS "algorithm", body ->> 'input' AS "input", body ->> 'output' AS "output", body ->> 'key' AS "key", body ->> 'iv' AS "iv", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'transform' AND body IS NOT NULL;
CREATE VIEW connections AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'op' AS "op", body ->> 'local' AS "local", body ->> 'remote' AS "remote", body ->> 'host' AS "host", body ->> 'transport' AS "transport", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'thread' AS "thread", body ->> 'sent' AS "sent", body ->> 'announced' AS "announced" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'connection' AND body IS NOT NULL;
CREATE VIEW uploads AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'via' AS "via", body ->> 'method' AS "method", body ->> 'url' AS "url", body ->> 'host' AS "host", body ->> 'headers' AS "headers", body ->> 'body' AS "body", body ->> 'size' AS "size", body ->> 'type' AS "type", body ->> 'truncated' AS "truncated", body ->> 'client' AS "client", body ->> 'server' AS "server", body ->> 'tls' AS "tls", body ->> 'status' AS "status", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'announced' AS "announced" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'upload' AND body IS NOT NULL;
CREATE VIEW consents AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'signal' AS "signal", body ->> 'status' AS "status", body ->> 'scope' AS "scope", body ->> 'data' AS "data", body ->> 'by' AS "by", body ->> 'text' AS "text", body ->> 'note' AS "note", body ->> 'stack' AS "stack", body ->> 'clock' AS "clock", body ->> 'corrects' AS "corrects", body ->> 'retracts' AS "retracts", body ->> 'ticked' AS "ticked", body ->> 'at_start' AS "at_start", body ->> 'value' AS "value" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'consent' AND body IS NOT NULL;
CREATE VIEW phases AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'state' AS "state", body ->> 'text' AS "text", body ->> 'by' AS "by" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'phase' AND body IS NOT NULL;
CREATE VIEW screens AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'what' AS "what", body ->> 'windows' AS "windows", body ->> 'touched' AS "touched", body ->> 'number' AS "number", body ->> 'since' AS "since", body ->> 'stack' AS "stack", body ->> 'owners' AS "owners", body ->> 'package' AS "package", body ->> 'activity' AS "activity", body ->> 'tree' AS "tree", body ->> 'image' AS "image", body ->> 'film' AS "film", body ->> 'why' AS "why", body ->> 'by' AS "by", body ->> 'note' AS "note" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'screen' AND body IS NOT NULL;
CREATE VIEW witnesses AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'by' AS "by", body ->> 'subject' AS "subject", body ->> 'data' AS "data", body ->> 'count' AS "count", body ->> 'size' AS "size", body ->> 'received' AS "received", body ->> 'from' AS "from", body ->> 'until' AS "until", body ->> 'tag' AS "tag", body ->> 'on_behalf' AS "on_behalf", body ->> 'detail' AS "detail", body ->> 'raw' AS "raw" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'witness' AND body IS NOT NULL;
CREATE VIEW gaps AS SELECT id AS recording, line, body ->> 'v' AS "v", body ->> 'at' AS "at", body ->> 'app' AS "app", body ->> 'pid' AS "pid", body ->> 'arrived' AS "arrived", body ->> 'boot_ms' AS "boot_ms", body ->> 'where' AS "where", body ->> 'subject' AS "subject", body ->> 'why' AS "why", body ->> 'detail' AS "detail", body ->> 'until' AS "until", body ->> 'client' AS "client", body ->> 'sni' AS "sni", body ->> 'alert' AS "alert", body ->> 'announced' AS "announced", body ->> 'body' AS "body" FROM (SELECT recording, kind, line, CASE WHEN json_valid(CAST(raw AS TEXT)) THEN CAST(raw AS TEXT) END AS body FROM lines) AS lines JOIN recordings ON number = recording WHERE kind = 'gap' AND body IS NOT NULL;
COMMIT;
