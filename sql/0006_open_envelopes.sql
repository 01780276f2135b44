-- Works with the programs of schema 4: it only adds.
-- Counts and sums a user's open envelopes from the index alone, however many have closed. The statement is prepared, so that an
-- existing index is no error.
SET @patch = (SELECT CASE COUNT(*) WHEN 0
  THEN 'ALTER TABLE envelope ADD KEY envelope_open (sender, state, total_fen)' ELSE 'DO 0' END
  FROM information_schema.statistics
  WHERE table_schema = DATABASE() AND table_name = 'envelope' AND index_name = 'envelope_open');
PREPARE patch FROM @patch;
EXECUTE patch;
DEALLOCATE PREPARE patch;
