-- SQL on the index: SQLite (~/.appwitness/appwitness.sqlite) or PostgreSQL. Every query below runs on both.
--
-- recordings  one row a run: number, id, package, device, plan, started, ended, reads, uploads, gaps
-- flows       a read joined to an upload: recording (a number), id (f1), access and upload (lines, accesses.jsonl:17),
--             data, consent (at that moment), host, recipient (one name for its hosts), party (first, third, unknown),
--             sdk (whose code sent it), at, other_app (another app sent it: no finding rests on it)
-- matches     where a value stands in the upload of a flow: recording, flow, type, value, variant, path, confidence
-- findings    what the rules object to: recording, number, rule, level, confidence, data, recipient, consent
-- found_gaps  gaps that no line says: recording, subject, why
-- accesses, uploads, consents, gaps ...  views of the lines: recording (an id), line, and a column for each field
--
-- An index of conclusions (--index conclusions) has no lines, and a keyed digest in place of each value.
-- matches.value and accesses."values" are personal data, unmasked: do not give them away.

-- 1. Location sent to third parties, by hour
SELECT substr(at, 1, 13) AS hour, recipient, count(*) AS flows
FROM flows
WHERE data = 'location' AND party = 'third' AND NOT other_app
GROUP BY hour, recipient
ORDER BY hour, recipient;

-- 2. Findings by rule, and in how many apps
SELECT rule, level, count(*) AS findings, count(DISTINCT package) AS apps
FROM findings JOIN recordings ON recordings.number = findings.recording
GROUP BY rule, level
ORDER BY apps DESC, findings DESC, rule, level;

-- 3. What was sent after the user had said no, or had taken consent back
SELECT package, recordings.id AS run, flows.id AS flow, data, recipient, consent, upload
FROM flows JOIN recordings ON recordings.number = flows.recording
WHERE consent IN ('refused', 'basic_only', 'withdrawn') AND NOT other_app
ORDER BY package, run, at;

-- 4. Apps that sent something before the user had answered
SELECT package, data, count(DISTINCT recordings.number) AS runs, min(flows.at) AS first
FROM flows JOIN recordings ON recordings.number = flows.recording
WHERE consent IN ('not_shown', 'requested', 'dismissed') AND NOT other_app
GROUP BY package, data
ORDER BY package, data;

-- 5. Recipients by how many kinds of data they got, and of how many apps
SELECT recipient, party, count(DISTINCT data) AS kinds, count(DISTINCT package) AS apps
FROM flows JOIN recordings ON recordings.number = flows.recording
WHERE NOT other_app
GROUP BY recipient, party
ORDER BY kinds DESC, apps DESC, recipient, party;

-- 6. In which form values left: as they are, hashed, encrypted ...
SELECT type, variant, count(*) AS matches, max(confidence) AS surest
FROM matches
GROUP BY type, variant
ORDER BY type, variant;

-- 7. Which SDK sent what, and to whom
SELECT sdk, data, recipient, count(*) AS flows
FROM flows
WHERE sdk IS NOT NULL AND NOT other_app
GROUP BY sdk, data, recipient
ORDER BY sdk, data, recipient;

-- 8. Reads of which no value was found in an upload
SELECT recording, line, source, data
FROM accesses
WHERE outcome = 'returned' AND NOT EXISTS (
    SELECT 1
    FROM flows JOIN recordings ON recordings.number = flows.recording
    WHERE recordings.id = accesses.recording AND access = 'accesses.jsonl:' || line
)
ORDER BY recording, line;

-- 9. Uploads without TLS, by host
SELECT host, count(*) AS uploads
FROM uploads
WHERE url LIKE 'http://%'
GROUP BY host
ORDER BY uploads DESC, host;

-- 10. Runs without a finding that are not clean: something could not be observed in them
SELECT id AS run, package, plan, gaps
FROM recordings
WHERE gaps > 0 AND NOT EXISTS (SELECT 1 FROM findings WHERE findings.recording = recordings.number)
ORDER BY run;
