# Made-up orders and users, the same for the same seed.
#
#   awk -v what=users -v count=1000 -f data.awk
#   awk -v what=orders -v first=1 -v count=100000 -v users=1000 -v seed=1 -v header=1 -f data.awk

function pick(list, n,    parts) {
  split(list, parts, " ")
  return parts[1 + int(rand() * n)]
}

function user(id) {
  srand(id * 7919)
  tier = pick("free free free basic basic premium enterprise", 7)
  name = pick("Ada Alan Barbara Dennis Edsger Frances Grace John Katherine Ken Linus Margaret", 12)
  printf "{\"user_id\":\"u%04d\",\"name\":\"%s %d\",\"email\":\"u%04d@example.com\",\"subscription_tier\":\"%s\"}\n", id, name, id, id, tier
}

function order(id) {
  # Few users order much: the square of a random number favours small ones.
  id_of_user = 1 + int(users * rand() * rand())
  product = pick("keyboard mouse screen desk chair lamp cable dock camera headset", 10)
  cents = 99 + int(rand() * 9900)
  printf "%d,u%04d,%s,%d.%02d\n", id, id_of_user, product, int(cents / 100), cents % 100
}

BEGIN {
  if (what == "users") {
    for (id = 1; id <= count; id++) user(id)
    exit
  }
  if (header) print "order_id,user_id,product,amount"
  srand(seed)
  for (id = first; id < first + count; id++) order(id)
}
