-- Peers E and F, in both databases.
CREATE TABLE IF NOT EXISTS batch_envelope (
  id INT NOT NULL PRIMARY KEY, shares BIGINT NOT NULL, taken BIGINT NOT NULL, left_amount BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS batch_claim (
  envelope INT NOT NULL, account VARCHAR(64) NOT NULL, seq BIGINT NOT NULL, amount BIGINT NOT NULL, at_us BIGINT NOT NULL,
  PRIMARY KEY (envelope, account), UNIQUE (envelope, seq));
CREATE TABLE IF NOT EXISTS batch_ledger (
  envelope INT NOT NULL, account VARCHAR(64) NOT NULL, amount BIGINT NOT NULL, at_us BIGINT NOT NULL,
  PRIMARY KEY (envelope, account));
CREATE TABLE IF NOT EXISTS batch_barrier (id INT NOT NULL PRIMARY KEY, n BIGINT NOT NULL);
