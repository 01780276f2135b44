-- References belong to a back end; the ledger of an account is numbered in the order booked; and
-- settle keeps the last time that it could trust. Programs of the version before go on working: what they
-- leave out is NULL or '', and settle numbers the transfers that they add.

-- backend is the back end whose reference a top-up or withdrawal has: the subject of its wallet token,
-- 'local operator' for hongbaoctl or 'demo guests' (no subject has a space). '' is every other transfer,
-- and a top-up or withdrawal made before this patch: any back end may repeat it.
-- entry numbers the transfers of a user 1, 2, 3 .. in the order in which they were booked. NULL: not yet.
-- booked_us is when the balance changed; at_us of a claim is when it was opened.
SET @patch = (SELECT CASE COUNT(*) WHEN 0 THEN
  'ALTER TABLE transfer ADD COLUMN backend VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '''', ADD COLUMN booked_us BIGINT NULL, ADD COLUMN entry BIGINT NULL, DROP KEY transfer_ref, ADD UNIQUE KEY transfer_ref (ref, kind, backend)'
  ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'transfer' AND column_name = 'entry');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;

-- entries is the number of the account's last transfer.
SET @patch = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE account ADD COLUMN entries BIGINT NOT NULL DEFAULT 0' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'account' AND column_name = 'entries');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;

-- Guests had a namespace of references in common with back ends. Their transfer refers to the user.
UPDATE transfer SET backend = 'demo guests'
  WHERE user_id >= 'guest:' AND user_id < 'guest;' AND kind = 1 AND ref = user_id AND backend = '';

-- Existing rows keep the order in which they were listed.
UPDATE transfer t
  JOIN (SELECT user_id, id, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY id) AS n FROM transfer) r
    ON r.user_id = t.user_id AND r.id = t.id
  SET t.entry = r.n
  WHERE NOT EXISTS (SELECT 1 FROM account a WHERE a.user_id = t.user_id AND a.entries > 0);
UPDATE account a
  JOIN (SELECT user_id, MAX(entry) AS n FROM transfer GROUP BY user_id) t ON t.user_id = a.user_id
  SET a.entries = t.n
  WHERE a.entries = 0;

SET @patch = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE transfer ADD UNIQUE KEY transfer_entry (user_id, entry)' ELSE 'DO 0' END
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name = 'transfer' AND index_name = 'transfer_entry');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;

-- One row. seen_us: the time of the primary when settle last saw that it could be trusted; 0: never.
-- held_us: since when refunds wait because it cannot be trusted; 0: they do not. No idempotency key is deleted
-- before keys_after_us.
CREATE TABLE IF NOT EXISTS clock (
  one TINYINT NOT NULL,
  seen_us BIGINT NOT NULL,
  held_us BIGINT NOT NULL,
  keys_after_us BIGINT NOT NULL,
  PRIMARY KEY (one)
) ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
INSERT IGNORE INTO clock (one, seen_us, held_us, keys_after_us) VALUES (1, 0, 0, 0);
