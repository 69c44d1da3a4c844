-- Metrics of the rule language, and what they are in SQL over the recorded shop log.
--
-- A block is one metric: its name, its definition, the condition that it stands in, and the SQL of its value; `unit` says
-- what that is where it is no plain number. A count that is only compared with small constants is kept up to the greatest.

-- name: views_10m
-- metric: count product_view in 10m
-- when: views_10m >= 40
select count(*) from :so_far and event = 'product_view' and :within(10m)

-- name: views_24h
-- metric: count product_view in 24h
-- when: views_24h >= 60
select count(*) from :so_far and event = 'product_view' and :within(24h)

-- name: views_7d
-- metric: count product_view in 7d
-- when: views_7d >= 60
select count(*) from :so_far and event = 'product_view' and :within(7d)

-- name: views_30d
-- metric: count product_view in 30d
-- when: views_30d >= 60
select count(*) from :so_far and event = 'product_view' and :within(30d)

-- name: few_views_30d
-- metric: count product_view in 30d
-- when: few_views_30d >= 3
select count(*) from :so_far and event = 'product_view' and :within(30d)

-- name: shoe_views_10m
-- metric: count product_view where category = "shoes" in 10m
-- when: shoe_views_10m >= 20
select count(*) from :so_far and event = 'product_view' and category = 'shoes' and :within(10m)

-- name: dear_views_24h
-- metric: count product_view where value between 50 EUR and 100 EUR in 24h
-- when: dear_views_24h >= 30
select count(*) from :so_far and event = 'product_view' and value between 50 and 100 and :within(24h)

-- name: other_views_session
-- metric: count product_view where category not in ["shoes", "jackets"] and value < 90 EUR in session
-- when: other_views_session >= 30
select count(*) from :so_far and event = 'product_view' and category not in ('shoes', 'jackets')
  and value < 90 and session = now.session

-- name: carts_session
-- metric: count add_to_cart in session
-- when: carts_session >= 20
select count(*) from :so_far and event = 'add_to_cart' and session = now.session

-- name: searches_session
-- metric: count search in session
-- when: searches_session >= 20
select count(*) from :so_far and event = 'search' and session = now.session

-- name: purchases_30d
-- metric: count purchase where value >= 100 EUR in 30d
-- when: purchases_30d >= 10
select count(*) from :so_far and event = 'purchase' and value >= 100 and :within(30d)

-- name: sku_views_7d
-- metric: count product_view where sku starts_with "sku-00" or sku = "sku-017" in 7d
-- when: sku_views_7d >= 20
select count(*) from :so_far and event = 'product_view' and (sku glob 'sku-00*' or sku = 'sku-017')
  and :within(7d)
