-- The same writes as a settlement, one transaction for each order: :n is the next sale of this client.
\set i :i + 1
\set n :first + :client_id * :each + :i
BEGIN;
SELECT s.order_id, s.inbox_id, s.buyer_id, s.asset_id, s.charge_id, s.royalty_cents, s.fee_cents, s.cost_cents, s.store_cents, s.total_cents, s.creator_id, s.store_id, s.first_payee, s.first_cents, s.second_payee, s.second_cents, uuidv7() AS transaction_id, uuidv7() AS outbox_id FROM bench_sales s JOIN orders o ON o.id = s.order_id WHERE s.n = :n AND o.payment_status = 'unpaid' FOR UPDATE OF o \gset
UPDATE orders SET payment_status = 'paid', payment_id = 'pi_' || :charge_id, charge_id = :charge_id, paid_at = now() WHERE id = :order_id;
INSERT INTO ledger_transactions (id, effect_key, kind, currency, content_hash, order_id, occurred_at) VALUES (:transaction_id, 'sale:' || :charge_id, 'sale', 'usd', encode(sha256(convert_to(:charge_id, 'UTF8')), 'hex'), :order_id, now());
INSERT INTO ledger_entries (transaction_id, position, account, payee_id, amount_cents, currency) VALUES (:transaction_id, 0, 'payable_pending', :creator_id, :royalty_cents, 'usd'), (:transaction_id, 1, 'platform_revenue', NULL, :fee_cents, 'usd'), (:transaction_id, 2, 'production_cost_payable', NULL, :cost_cents, 'usd'), (:transaction_id, 3, 'payable_pending', :store_id, :store_cents, 'usd'), (:transaction_id, 4, 'stripe_clearing', NULL, - CAST(:total_cents AS bigint), 'usd');
INSERT INTO payee_balances AS b (payee_id, currency, pending_cents, available_cents, reserved_cents, disputed_cents, lifetime_cents) VALUES (:first_payee, 'usd', :first_cents, 0, 0, 0, :first_cents), (:second_payee, 'usd', :second_cents, 0, 0, 0, :second_cents) ON CONFLICT (payee_id, currency) DO UPDATE SET pending_cents = b.pending_cents + excluded.pending_cents, lifetime_cents = b.lifetime_cents + excluded.lifetime_cents;
INSERT INTO earnings (order_id, payee_id, currency, amount_cents, returned_cents, state, release_at) VALUES (:order_id, :first_payee, 'usd', :first_cents, 0, 'pending', now() + interval '7 days'), (:order_id, :second_payee, 'usd', :second_cents, 0, 'pending', now() + interval '7 days');
INSERT INTO asset_grants (asset_id, user_id, order_id) VALUES (:asset_id, :buyer_id, :order_id) ON CONFLICT DO NOTHING;
INSERT INTO outbox_messages (id, topic, payload, due_at, created_at) VALUES (:outbox_id, 'orders.paid', convert_to(format('{"order_id":"%s","buyer_id":"%s","charge_id":"%s"}', :order_id::text, :buyer_id::text, :charge_id::text), 'UTF8'), now(), now());
UPDATE inbox_messages SET state = 'done', lease_until = NULL, finished_at = now() WHERE id = :inbox_id AND state = 'dispatched';
COMMIT;
