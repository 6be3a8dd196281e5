BEGIN TRANSACTION;
CREATE TABLE accesses (
	source TEXT NOT NULL, 
	target TEXT, 
	data TEXT NOT NULL, 
	outcome VARCHAR(200) NOT NULL, 
	calls BIGINT NOT NULL, 
	until VARCHAR(40), 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
);
CREATE TABLE connections (
	op VARCHAR(200) NOT NULL, 
	transport VARCHAR(200) NOT NULL, 
	local TEXT NOT NULL, 
	remote TEXT NOT NULL, 
	host TEXT, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
);
CREATE TABLE consents (
	signal VARCHAR(200) NOT NULL, 
	status VARCHAR(200) NOT NULL, 
	scope VARCHAR(200) NOT NULL, 
	said_by VARCHAR(200) NOT NULL, 
	text TEXT, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
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
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (number, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
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
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (id, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE found_gaps (
	number BIGINT NOT NULL, 
	subject TEXT NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	gap TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (number, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE gaps (
	place VARCHAR(200) NOT NULL, 
	subject TEXT NOT NULL, 
	why VARCHAR(200) NOT NULL, 
	detail TEXT, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE index_version (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
)
 WITHOUT ROWID

;
INSERT INTO "index_version" VALUES(4);
CREATE TABLE matches (
	flow VARCHAR(200) NOT NULL, 
	number BIGINT NOT NULL, 
	type TEXT NOT NULL, 
	value TEXT NOT NULL, 
	variant TEXT NOT NULL, 
	path TEXT NOT NULL, 
	confidence DOUBLE NOT NULL, 
	"match" TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (flow, number, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE phases (
	state VARCHAR(200) NOT NULL, 
	text TEXT, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE positions (
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	bytes BIGINT NOT NULL, 
	digest VARCHAR(200) NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (kind, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE recordings (
	id VARCHAR(200) NOT NULL, 
	path TEXT NOT NULL, 
	package TEXT NOT NULL, 
	device VARCHAR(200) NOT NULL, 
	"plan" VARCHAR(200) NOT NULL, 
	started VARCHAR(40) NOT NULL, 
	ended VARCHAR(40), 
	run TEXT NOT NULL, 
	judged_by VARCHAR(200), 
	PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "recordings" VALUES('sent-before-consent','RECORDING','com.example.shop','hand-made','accept','2026-03-14T09:00:00.000000Z','2026-03-14T09:01:00.000000Z','{"v":1,"id":"sent-before-consent","app":{"package":"com.example.shop","version":"1.0","version_code":null,"apk_sha256":null,"certificate_sha256":null,"facts":{}},"app_type":null,"device":{"serial":"hand-made","model":null,"release":null,"api_level":null,"kind":"lab","facts":{}},"plan":"accept","observers":{"hooks":true,"proxy":true,"consent":true,"persona":null,"hooks_failed":false,"witnesses":false,"stamped":"during"},"source":[],"persona":[],"hooks":{},"started":"2026-03-14T09:00:00.000000Z","ended":"2026-03-14T09:01:00.000000Z","clock_offset_ms":0.0,"clock_uncertainty_ms":0.0,"clock_drift_ms":null,"clock":[],"unpin":false,"unpinned":{},"sockets_watched":false,"proxy":null,"changes":[],"notes":[],"route":{},"root":null,"user":null,"install_ms":null,"times":{},"probe":null,"versions":{},"operator":"by hand"}','f42da08a09ab75cf48aa0d82b943ed0517b7d81643761096aca4d23865ed0f1a');
CREATE TABLE screens (
	package VARCHAR(200), 
	why VARCHAR(200) NOT NULL, 
	looked VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE TABLE transforms (
	op VARCHAR(200) NOT NULL, 
	algorithm TEXT NOT NULL, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
);
CREATE TABLE unreadable (
	kind VARCHAR(200) NOT NULL, 
	line BIGINT NOT NULL, 
	error TEXT NOT NULL, 
	raw BLOB NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (kind, line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
);
CREATE TABLE uploads (
	via VARCHAR(200) NOT NULL, 
	method TEXT, 
	host TEXT, 
	url TEXT, 
	type TEXT, 
	body VARCHAR(200), 
	bytes BIGINT NOT NULL, 
	status BIGINT, 
	cleartext BOOLEAN NOT NULL, 
	truncated BOOLEAN NOT NULL, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
);
CREATE TABLE witnesses (
	counted_by VARCHAR(200) NOT NULL, 
	subject TEXT, 
	data TEXT, 
	line BIGINT NOT NULL, 
	at VARCHAR(40) NOT NULL, 
	app TEXT, 
	pid BIGINT, 
	raw TEXT NOT NULL, 
	recording VARCHAR(200) NOT NULL, 
	PRIMARY KEY (line, recording), 
	FOREIGN KEY(recording) REFERENCES recordings (id)
)
 WITHOUT ROWID

;
CREATE INDEX ix_recordings_started ON recordings (started);
COMMIT;
