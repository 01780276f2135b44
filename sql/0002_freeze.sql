-- frozen is the number of the rule that the envelope's books violate, 0 if they agree. Nothing of a frozen
-- envelope is opened, credited or refunded until `hongbaoctl unfreeze`. The statement is prepared, so that
-- an existing column is no error.
SET @freeze = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE envelope ADD COLUMN frozen TINYINT NOT NULL DEFAULT 0' ELSE 'DO 0' END
  FROM information_schema.columns
  WHERE table_schema = DATABASE() AND table_name = 'envelope' AND column_name = 'frozen');
PREPARE freeze FROM @freeze;
EXECUTE freeze;
DEALLOCATE PREPARE freeze;
