-- A past that the books agree with: {envelopes} closed envelopes of 10 equal shares of 10 fen, sent and claimed in
-- turn by {users} users, the last one an hour ago. Every row is as the service would have written it.
SET unique_checks = 0, foreign_key_checks = 0;
SET @start_ms = (FLOOR(UNIX_TIMESTAMP() / 3600) - 1) * 3600000 - {envelopes} * 10;

CREATE TABLE sent (n INT PRIMARY KEY, id BINARY(16), at_us BIGINT, user_id VARCHAR(64) CHARACTER SET ascii)
  ENGINE=InnoDB
  SELECT seq AS n, UNHEX(CONCAT(LPAD(HEX(@start_ms + seq * 10), 12, '0'), '70008', LPAD(HEX(seq), 15, '0'))) AS id,
    (@start_ms + seq * 10) * 1000 AS at_us, CONCAT('g', seq MOD {users}) AS user_id
  FROM seq_1_to_{envelopes};

INSERT INTO account (user_id, name, balance_fen)
  SELECT CONCAT('g', seq), 'Guest', 1000000 FROM seq_0_to_{last_user};

INSERT INTO envelope (id, sender, sender_name, mode, total_fen, shares, cap_fen, greeting, to_kind, recipients, state,
    opened_shares, opened_fen, refunded_fen, created_us, expires_us, closed_us, seed_hash, seed, luckiest_seq,
    luckiest_fen, luckiest_user, luckiest_name, version)
  SELECT id, user_id, 'Guest', 2, 100, 10, 20000, 'Best wishes!', 0, '', 1, 10, 100, 0, at_us, at_us + 86400000000,
    at_us + 10, UNHEX(SHA2(CONCAT('hongbao-1', id, UNHEX('02000000000000006400' '00000A' '0000000000004E20'),
      UNHEX(SHA2(n, 256))), 256)), UNHEX(SHA2(n, 256)), 0, 0, '', '', 11
  FROM sent ORDER BY id;

INSERT INTO claim (envelope_id, user_id, name, amount_fen, seq, opened_us)
  SELECT id, CONCAT('g', (7 * n + 9973 * seq) MOD {users}) AS taker, 'Guest', 10, seq, at_us + seq
  FROM sent JOIN seq_1_to_10 ORDER BY id, taker;

INSERT INTO transfer (user_id, id, kind, ref, amount_fen, at_us)
  SELECT CONCAT('g', seq), UNHEX(CONCAT('010000000000', '70008', LPAD(HEX(seq), 15, '0'))), 1, CONCAT('history-g', seq),
    1000000, 1099511627776000 FROM seq_0_to_{last_user}
  UNION ALL
  SELECT user_id, id, 3, id, 100, at_us FROM sent
  UNION ALL
  SELECT user_id, UNHEX(CONCAT(LPAD(HEX(opened_us DIV 1000), 12, '0'), '7000',
      HEX(CONV(LEFT(digest, 2), 16, 10) & 63 | 128), SUBSTRING(digest, 3, 14))), 4, ref, 10, opened_us
  FROM (SELECT user_id, opened_us, CONCAT(envelope_id, UNHEX(LPAD(HEX(seq), 8, '0'))) AS ref,
      SHA2(CONCAT(envelope_id, UNHEX(LPAD(HEX(seq), 8, '0'))), 256) AS digest FROM claim) AS booked;

UPDATE transfer t JOIN (SELECT user_id, id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY id) AS n FROM transfer) r
  ON r.user_id = t.user_id AND r.id = t.id SET t.entry = r.n, t.booked_us = t.at_us;
UPDATE account a SET entries = (SELECT COUNT(*) FROM transfer t WHERE t.user_id = a.user_id);

INSERT INTO year_total (user_id, year, sent_count, sent_fen, received_count, received_fen)
  SELECT CONCAT('g', seq), YEAR(UTC_TIMESTAMP()), 10, 1000, 100, 1000 FROM seq_0_to_{last_user};

DROP TABLE sent;
