-- The privileges of each database user; it has no others. support reads for the operator's desk, desk writes for it.
-- role: privileges ON table
send: SELECT, INSERT, UPDATE ON account
send: SELECT, INSERT ON transfer
send: SELECT, INSERT ON envelope
send: INSERT ON seed
send: SELECT, INSERT ON idempotency
send: SELECT, UPDATE ON barrier
send: SELECT ON meta
send: SELECT ON schema_version
send: SELECT ON user_rule
grab: SELECT ON envelope
grab: SELECT, UPDATE ON barrier
grab: SELECT ON meta
grab: SELECT ON schema_version
grab: SELECT ON user_rule
open: SELECT, UPDATE ON envelope
open: SELECT, DELETE ON seed
open: SELECT, INSERT, UPDATE (thanks) ON claim
open: INSERT ON credit
open: INSERT ON closing
open: INSERT ON transfer
open: SELECT, UPDATE ON account
open: SELECT, UPDATE ON barrier
open: SELECT ON clock
open: SELECT ON meta
open: SELECT ON schema_version
open: SELECT ON user_rule
query: SELECT ON account
query: SELECT ON transfer
query: SELECT ON envelope
query: SELECT (envelope_id, expires_us) ON seed
query: SELECT ON claim
query: SELECT ON credit
query: SELECT ON closing
query: SELECT ON year_total
query: SELECT, UPDATE ON barrier
query: SELECT ON clock
query: SELECT ON host
query: SELECT ON meta
query: SELECT ON schema_version
settle: SELECT, INSERT, UPDATE ON account
settle: SELECT, INSERT, UPDATE (entry) ON transfer
settle: SELECT, UPDATE ON envelope
settle: SELECT, DELETE ON seed
settle: SELECT ON claim
settle: SELECT, INSERT, UPDATE, DELETE ON credit
settle: SELECT, UPDATE ON lane
settle: SELECT, INSERT, DELETE ON closing
settle: SELECT, INSERT, UPDATE ON year_total
settle: SELECT, DELETE ON idempotency
settle: SELECT, UPDATE ON barrier
settle: SELECT, UPDATE ON clock
settle: SELECT ON meta
settle: SELECT, INSERT, UPDATE ON host
settle: SELECT ON schema_version
audit: SELECT ON *
support: SELECT ON account
support: SELECT ON transfer
support: SELECT ON envelope
support: SELECT (envelope_id, expires_us) ON seed
support: SELECT ON claim
support: SELECT ON credit
support: SELECT ON closing
support: SELECT ON year_total
support: SELECT ON meta
support: SELECT ON schema_version
support: SELECT ON user_rule
support: SELECT ON act
support: SELECT ON archive
support: SELECT ON archived
support: SELECT ON carried
support: SELECT ON carried_group
desk: SELECT, INSERT, UPDATE ON user_rule
desk: SELECT, INSERT ON act
desk: UPDATE (outcome, why) ON act
desk: SELECT, UPDATE ON account
desk: SELECT, UPDATE ON envelope
desk: SELECT, UPDATE ON claim
desk: SELECT ON transfer
desk: SELECT ON credit
desk: SELECT ON meta
desk: SELECT ON schema_version
