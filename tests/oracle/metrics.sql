-- Metrics of the rule language, and what they are in SQL over the recorded shop log.
--
-- A block is one metric: its name, its definition, the condition that it stands in, and the SQL of its value; `unit` says
-- what that is where it is no plain number. A count that is only compared with small constants is kept up to the greatest.
-- `currency` says that every seventh amount is in dollars: with `rates` one is worth 0.92 EUR, where it is `unknown` there
-- are no rates.

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

-- name: views_30d_value
-- metric: count product_view in 30d
-- when: views_30d_value >= 1000
select count(*) from :so_far and event = 'product_view' and :panes(30d)

-- name: all_searches_7d
-- metric: count search in 7d
-- when: all_searches_7d >= 500
select count(*) from :so_far and event = 'search' and :panes(7d)

-- name: jacket_views_24h
-- metric: count product_view where category = "jackets" in 24h
-- when: jacket_views_24h >= 100
select count(*) from :so_far and event = 'product_view' and category = 'jackets' and :panes(24h)

-- name: views_today
-- metric: count product_view in today
-- when: views_today >= 1000
select count(*) from :so_far and event = 'product_view' and day = now.day

-- name: searches_week
-- metric: count search in week
-- when: searches_week >= 20
select count(*) from :so_far and event = 'search' and week = now.week

-- name: carts_month
-- metric: count add_to_cart in month
-- when: carts_month >= 20
select count(*) from :so_far and event = 'add_to_cart' and month = now.month

-- name: homes_ever
-- metric: count home in ever
-- when: homes_ever >= 1000
select count(*) from :so_far and event = 'home'

-- name: purchases_ever
-- metric: count purchase where value < 120 EUR in ever
-- when: purchases_ever >= 10
select count(*) from :so_far and event = 'purchase' and value < 120

-- name: views_7d_of_session
-- metric: count product_view in 7d of session
-- when: views_7d_of_session >= 30
select count(*) from :so_far and event = 'product_view' and session = now.session and :within(7d)

-- name: spend_30d
-- metric: sum purchase.value in 30d
-- when: spend_30d >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'purchase' and :panes(30d)

-- name: spend_ever
-- metric: sum purchase.value in ever
-- when: spend_ever >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'purchase'

-- name: spend_month
-- metric: sum purchase.value where value >= 100 EUR in month
-- when: spend_month >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'purchase' and value >= 100 and month = now.month

-- name: looked_at_session
-- metric: sum product_view.value in session
-- when: looked_at_session >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'product_view' and session = now.session

-- name: looked_at_10m
-- metric: sum product_view.value where category = "packs" in 10m
-- when: looked_at_10m >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'product_view' and category = 'packs' and :panes(10m)

-- name: looked_at_today
-- metric: sum product_view.value in today
-- when: looked_at_today >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'product_view' and day = now.day

-- name: carted_week
-- metric: sum add_to_cart.value in week
-- when: carted_week >= 200 EUR
-- unit: number
select coalesce(sum(value), 0) from :so_far and event = 'add_to_cart' and week = now.week

-- name: cheapest_24h
-- metric: min product_view.value in 24h
-- when: cheapest_24h < 30 EUR
-- unit: number
select min(value) from :so_far and event = 'product_view' and :panes(24h)

-- name: cheapest_session
-- metric: min add_to_cart.value in session
-- when: cheapest_session < 30 EUR
-- unit: number
select min(value) from :so_far and event = 'add_to_cart' and session = now.session

-- name: dearest_7d
-- metric: max product_view.value in 7d
-- when: dearest_7d > 100 EUR
-- unit: number
select max(value) from :so_far and event = 'product_view' and :panes(7d)

-- name: dearest_ever
-- metric: max purchase.value in ever
-- when: dearest_ever > 100 EUR
-- unit: number
select max(value) from :so_far and event = 'purchase'

-- name: dearest_shoes_today
-- metric: max product_view.value where category = "shoes" in today
-- when: dearest_shoes_today > 100 EUR
-- unit: number
select max(value) from :so_far and event = 'product_view' and category = 'shoes' and day = now.day

-- name: cheapest_month
-- metric: min purchase.value in month
-- when: cheapest_month > 100 EUR
-- unit: number
select min(value) from :so_far and event = 'purchase' and month = now.month

-- name: average_7d
-- metric: avg product_view.value in 7d
-- when: average_7d > 70 EUR
-- unit: millionths
select sum(value) * 1000000 / count(*) from :so_far and event = 'product_view' and :panes(7d)

-- name: average_order
-- metric: avg purchase.value in ever
-- when: average_order > 70 EUR
-- unit: millionths
select sum(value) * 1000000 / count(*) from :so_far and event = 'purchase'

-- name: average_session
-- metric: avg product_view.value where category not in ["packs"] in session
-- when: average_session > 70 EUR
-- unit: millionths
select sum(value) * 1000000 / count(*) from :so_far and event = 'product_view' and category <> 'packs'
  and session = now.session

-- name: average_week
-- metric: avg add_to_cart.value in week
-- when: average_week > 70 EUR
-- unit: millionths
select sum(value) * 1000000 / count(*) from :so_far and event = 'add_to_cart' and week = now.week

-- name: intent
-- score: {half_life: 30m, add: {product_view: 1, add_to_cart: 6, purchase: 12}}
-- when: score.intent >= 40
-- unit: near
select coalesce(sum(case event when 'product_view' then 1 when 'add_to_cart' then 6 when 'purchase' then 12 else 0 end
  * pow(0.5, (now.ms - ms) / 1800000.0)), 0) from :so_far

-- name: interest_in_shoes
-- score: {half_life: 3d, add: {'product_view where category = "shoes"': 2.5, 'wishlist_add where category = "shoes"': 10}}
-- when: score.interest_in_shoes >= 40
-- unit: near
select coalesce(sum(case event when 'product_view' then 2.5 when 'wishlist_add' then 10 else 0 end
  * pow(0.5, (now.ms - ms) / 259200000.0)), 0) from :so_far and category = 'shoes'

-- name: interest_now
-- score: {half_life: 10m, of: session, add: {search: 1, catalog: 0.5}}
-- when: score.interest_now >= 40
-- unit: near
select coalesce(sum(case event when 'search' then 1 when 'catalog' then 0.5 else 0 end
  * pow(0.5, (now.ms - ms) / 600000.0)), 0) from :so_far and session = now.session

-- name: viewed_then_carted
-- when: sequence product_view then add_to_cart within 10m
-- unit: condition
select exists (select 1 from (select e.ms as done, (select max(ms) from :before and event = 'product_view') as began
    from :so_far and event = 'add_to_cart') as run
  where done - began < 600000 and now.ms - done < 600000 and not exists (select 1 from log as b
    where b.user = now.user and event = 'add_to_cart' and b.ms >= began and b.ms < done))

-- name: shoes_then_cart_then_purchase
-- when: sequence product_view where category = "shoes" then add_to_cart then purchase within 2h
-- unit: condition
select exists (select 1 from (select done, began, (select min(ms) from log as b where b.user = now.user
      and event = 'add_to_cart' and b.ms >= began and b.sequence <= now.sequence) as middle
    from (select e.ms as done,
      (select max(ms) from :before and event = 'product_view' and category = 'shoes') as began
      from :so_far and event = 'purchase')) as run
  where done - began < 7200000 and middle <= done and now.ms - done < 7200000
    and not exists (select 1 from log as c where c.user = now.user and event = 'purchase'
      and c.ms >= middle and c.ms < done))

-- name: searched_then_bought_without_help
-- when: sequence search then purchase within 1d without support_chat
-- unit: condition
select exists (select 1 from (select e.ms as done, (select max(ms) from :before and event = 'search') as began
    from :so_far and event = 'purchase') as run
  where done - began < 86400000 and now.ms - done < 86400000 and not exists (select 1 from log as b
    where b.user = now.user and event in ('purchase', 'support_chat') and b.ms >= began and b.ms < done))

-- name: abandoned_cart
-- when: sequence add_to_cart then no purchase within 8m
-- unit: condition
select coalesce((select now.ms - began >= 480000 and not exists (select 1 from log as b where b.user = now.user
    and b.sequence <= now.sequence and event = 'purchase' and b.ms >= began)
  from (select max(ms) as began from :so_far and event = 'add_to_cart')), 0)

-- name: abandoned_checkout
-- when: sequence cart then shipping_details then no purchase within 30m
-- unit: condition
select coalesce((select now.ms - began >= 1800000 and middle - began < 1800000 and not exists (select 1 from log as c
    where c.user = now.user and c.sequence <= now.sequence and event = 'purchase' and c.ms >= middle)
  from (select began, (select min(ms) from log as b where b.user = now.user and b.sequence <= now.sequence
      and event = 'shipping_details' and b.ms >= began) as middle
    from (select max(ms) as began from :so_far and event = 'cart'))), 0)

-- name: no_purchase_for_a_day
-- when: no purchase for 24h
-- unit: condition
select now.ms - coalesce(max(case when event = 'purchase' then ms end), min(ms)) >= 86400000 from :so_far

-- name: no_shoes_for_5m
-- when: no product_view where category = "shoes" for 5m
-- unit: condition
select now.ms - coalesce(max(case when event = 'product_view' and category = 'shoes' then ms end), min(ms)) >= 300000
  from :so_far

-- name: no_search_in_session
-- when: no search in session
-- unit: condition
select not exists (select 1 from :so_far and event = 'search' and session = now.session)

-- name: distinct_skus_7d
-- metric: distinct product_view.sku in 7d max 64
-- when: distinct_skus_7d >= 40
select count(distinct sku) from :so_far and event = 'product_view' and :within(7d)

-- name: distinct_skus_session
-- metric: distinct product_view.sku in session
-- when: distinct_skus_session >= 40
select count(distinct sku) from :so_far and event = 'product_view' and session = now.session

-- name: distinct_wishes_ever
-- metric: distinct wishlist_add.sku where value >= 40 EUR in ever max 40
-- when: distinct_wishes_ever >= 40
select count(distinct sku) from :so_far and event = 'wishlist_add' and value >= 40

-- name: distinct_categories_today
-- metric: distinct product_view.category in today max 8
-- when: distinct_categories_today >= 8
select count(distinct category) from :so_far and event = 'product_view' and day = now.day

-- name: distinct_values_24h
-- metric: distinct add_to_cart.value in 24h
-- when: distinct_values_24h >= 40
select count(distinct value) from :so_far and event = 'add_to_cart' and :within(24h)

-- name: last_category
-- metric: last product_view.category
-- when: last_category in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from :so_far and event = 'product_view' order by sequence desc limit 1

-- name: last_carted_session
-- metric: last add_to_cart.category in session
-- when: last_carted_session in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from :so_far and event = 'add_to_cart' and session = now.session order by sequence desc limit 1

-- name: first_category_session
-- metric: first product_view.category in session
-- when: first_category_session in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from :so_far and event = 'product_view' and session = now.session order by sequence limit 1

-- name: first_order_value
-- metric: first purchase.value
-- when: first_order_value >= 100 EUR
-- unit: number
select value from :so_far and event = 'purchase' order by sequence limit 1

-- name: previous_category
-- metric: previous product_view.category
-- when: previous_category in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from :so_far and event = 'product_view' order by sequence desc limit 1 offset 1

-- name: last_value_7d
-- metric: last product_view.value where category = "shoes" in 7d
-- when: last_value_7d >= 100 EUR
-- unit: number
select value from :so_far and event = 'product_view' and category = 'shoes' and :within(7d) order by sequence desc limit 1

-- name: since_purchase
-- metric: time since purchase
-- when: since_purchase <= 7d
-- unit: milliseconds
select now.ms - max(ms) from :so_far and event = 'purchase'

-- name: since_shoe_view
-- metric: time since product_view where category = "shoes" and value < 60 EUR
-- when: since_shoe_view <= 10m
-- unit: milliseconds
select now.ms - max(ms) from :so_far and event = 'product_view' and category = 'shoes' and value < 60

-- name: top_category_session
-- metric: most_frequent product_view.category in session
-- when: top_category_session in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from :so_far and event = 'product_view' and session = now.session
  group by category order by count(*) desc, max(sequence) desc limit 1

-- name: top_category_7d
-- metric: most_frequent product_view.category in 7d
-- when: top_category_7d in ["shoes", "jackets", "packs", "accessories"]
-- unit: text
select category from (select category, sequence from :so_far and event = 'product_view' and :within(7d)
  order by sequence desc limit 32)
  group by category order by count(*) desc, max(sequence) desc limit 1

-- name: same_sku_24h
-- metric: count product_view by sku in 24h top
-- when: same_sku_24h >= 20
select coalesce(max(many), 0) from (select count(*) as many from :so_far and event = 'product_view' and :within(24h)
  group by sku)

-- name: same_category_session
-- metric: count product_view by category in session top
-- when: same_category_session >= 20
select coalesce(max(many), 0) from (select count(*) as many from :so_far and event = 'product_view'
  and session = now.session group by category)

-- name: spend_30d_at_rates
-- metric: sum purchase.value in 30d
-- when: spend_30d_at_rates >= 200 EUR
-- unit: millionths
-- currency: rates
select coalesce(sum(value * case currency when 'USD' then 920000 else 1000000 end), 0)
  from :so_far and event = 'purchase' and :panes(30d)

-- name: average_session_at_rates
-- metric: avg product_view.value in session
-- when: average_session_at_rates > 70 EUR
-- unit: millionths
-- currency: rates
select sum(value * case currency when 'USD' then 920000 else 1000000 end) / count(*)
  from :so_far and event = 'product_view' and session = now.session

-- name: dear_views_7d_at_rates
-- metric: count product_view where value > 100 USD in 7d
-- when: dear_views_7d_at_rates >= 30
-- currency: rates
select count(*) from :so_far and event = 'product_view' and :within(7d)
  and value * case currency when 'USD' then 920000 else 1000000 end > 92000000

-- name: dearest_today_at_rates
-- metric: max product_view.value where value >= 50 EUR in today
-- when: dearest_today_at_rates > 100 EUR
-- unit: millionths
-- currency: rates
select max(worth) from (select value * case currency when 'USD' then 920000 else 1000000 end as worth
  from :so_far and event = 'product_view' and day = now.day) where worth >= 50000000

-- name: last_order_at_rates
-- metric: last purchase.value
-- when: last_order_at_rates > 100 EUR
-- unit: millionths
-- currency: rates
select value * case currency when 'USD' then 920000 else 1000000 end from :so_far and event = 'purchase' order by e.sequence desc limit 1

-- name: spent_30d_without_rates
-- when: (sum purchase.value in 30d) >= 200 EUR
-- unit: condition
-- currency: unknown
select case when coalesce(max(currency = 'USD'), 0) then null else coalesce(sum(value), 0) >= 200 end
  from :so_far and event = 'purchase' and :panes(30d)

-- name: few_dear_views_without_rates
-- when: (count product_view where value >= 100 EUR in 24h) <= 2
-- unit: condition
-- currency: unknown
select case when coalesce(sum(currency = 'EUR' and value >= 100), 0) > 2 then 0
    when coalesce(max(currency = 'USD'), 0) then null else 1 end
  from :so_far and event = 'product_view' and :within(24h)

-- name: all_dear_session_without_rates
-- when: (min product_view.value in session) >= 30 EUR
-- unit: condition
-- currency: unknown
select case when min(case currency when 'EUR' then value end) < 30 then 0
    when count(*) = 0 or coalesce(max(currency = 'USD'), 0) then null else 1 end
  from :so_far and event = 'product_view' and session = now.session
