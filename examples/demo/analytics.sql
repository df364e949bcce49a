-- Orders per user: how many, how much, and how much on average. It stays current as orders.csv grows.
CREATE TABLE user_analytics AS
SELECT
    user_id,
    COUNT(*) AS order_count,
    SUM(amount) AS total_spent,
    AVG(amount) AS avg_order_value
FROM file://orders.csv
GROUP BY user_id;

-- Every order with what is known of its user: a stream joined to a table, from two formats.
CREATE STREAM enriched_orders AS
SELECT
    o.order_id,
    o.product,
    o.amount,
    u.name AS user_name,
    u.subscription_tier,
    CASE
        WHEN u.subscription_tier IN ('premium', 'enterprise') THEN true
        ELSE false
    END AS discount_eligible
FROM file://orders.csv o
JOIN file://users.jsonl u ON o.user_id = u.user_id;

-- What each tier buys. A user who changes tier changes the orders to come.
CREATE TABLE sales_by_tier AS
SELECT
    subscription_tier,
    discount_eligible,
    COUNT(*) AS orders,
    SUM(amount) AS revenue,
    MAX(amount) AS largest
FROM enriched_orders
GROUP BY subscription_tier, discount_eligible;

-- The users who spend most.
CREATE TABLE big_spenders AS
SELECT user_id, total_spent, order_count
FROM user_analytics
WHERE total_spent > 17500.00;
