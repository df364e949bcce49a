//! Order analytics and enrichment over every kind of source, the queries unchanged, held against PostgreSQL.

use std::fmt::Write;

use ferrisstreams_tests::{Ferris, Kafka, Postgres, Record, TestDir};

/// Orders as CSV: twelve users, some of whom nobody knows.
fn orders(count: usize) -> Vec<[String; 4]> {
    let order = |at: usize| {
        let cents = (at * 7_919) % 20_000;
        let user = format!("u{}", (at * at + 3 * at) % 12);
        let amount = format!("{}.{:02}", cents / 100, cents % 100);
        [format!("{at}"), user, format!("product {}", at % 5), amount]
    };
    (1..=count).map(order).collect()
}

/// Profiles of most of them, whose names need quotes in CSV.
fn profiles() -> Vec<[String; 4]> {
    let tiers = ["free", "basic", "premium", "enterprise"];
    (0..9)
        .map(|at| {
            let name = if at % 3 == 0 {
                format!("Last{at}, \"First\"")
            } else {
                format!("Name {at}")
            };
            [
                format!("u{at}"),
                name,
                format!("u{at}@example.com"),
                tiers[at % 4].to_owned(),
            ]
        })
        .collect()
}

const ORDER_COLUMNS: &str = "order_id,user_id,product,amount";
const PROFILE_COLUMNS: &str = "user_id,name,email,subscription_tier";

fn csv_body(rows: &[[String; 4]]) -> String {
    let field = |text: &String| {
        if text.contains(['"', ',']) {
            format!("\"{}\"", text.replace('"', "\"\""))
        } else {
            text.clone()
        }
    };
    rows.iter().fold(String::new(), |mut out, row| {
        let fields: Vec<String> = row.iter().map(field).collect();
        writeln!(out, "{}", fields.join(",")).expect("text grows");
        out
    })
}

fn csv(columns: &str, rows: &[[String; 4]]) -> String {
    format!("{columns}\n{}", csv_body(rows))
}

/// A JSON object a row; `amount` and `order_id` are numbers.
fn json(columns: &str, row: &[String; 4]) -> String {
    let fields: Vec<String> = columns
        .split(',')
        .zip(row)
        .map(|(name, value)| match name {
            "amount" | "order_id" => format!("\"{name}\":{value}"),
            _ => format!("\"{name}\":\"{}\"", value.replace('"', "\\\"")),
        })
        .collect();
    format!("{{{}}}", fields.join(","))
}

fn json_lines(columns: &str, rows: &[[String; 4]]) -> String {
    rows.iter().map(|row| json(columns, row) + "\n").collect()
}

/// The same rows in PostgreSQL.
fn loaded(postgres: &Postgres, orders: &[[String; 4]], profiles: &[[String; 4]]) -> Postgres {
    let database = postgres.fresh_database("analytics");
    database.query(
        "CREATE TABLE orders (order_id bigint, user_id text, product text, amount numeric(38, 2));
         CREATE TABLE user_profiles (user_id text, name text, email text, subscription_tier text)",
    );
    database.load_csv("orders", &csv_body(orders));
    database.load_csv("user_profiles", &csv_body(profiles));
    database
}

/// The rows of a result in CSV, sorted, without its header.
fn result(stdout: &str) -> Vec<String> {
    let mut rows: Vec<String> = stdout
        .lines()
        .filter(|line| !line.starts_with("-- "))
        .skip(1)
        .map(str::to_owned)
        .collect();
    rows.sort();
    rows
}

/// What PostgreSQL answers, in the same form.
fn expected(postgres: &Postgres, sql: &str) -> Vec<String> {
    let field = |value: Option<String>| match value {
        None => String::new(),
        Some(text) if text.contains(['"', ',']) => format!("\"{}\"", text.replace('"', "\"\"")),
        Some(text) => text,
    };
    let mut rows: Vec<String> = postgres
        .query(sql)
        .into_iter()
        .map(|row| row.into_iter().map(field).collect::<Vec<_>>().join(","))
        .collect();
    rows.sort();
    rows
}

fn once(dir: &TestDir, sql: &str, kafka: Option<&Kafka>) -> Vec<String> {
    let script = dir.write("app.sql", sql);
    let mut ferris = Ferris::new(["run", "--once", "--output", "csv"]).arg(script);
    if let Some(kafka) = kafka {
        ferris = ferris.arg("--bootstrap-servers").arg(kafka.bootstrap());
    }
    result(&ferris.run().assert_success().stdout)
}

const ANALYTICS: &str =
    "SELECT user_id, COUNT(*), SUM(amount), round(AVG(amount), 6) FROM orders GROUP BY user_id";

#[test]
fn analytics_over_a_file() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (orders, dir) = (orders(5_000), TestDir::new());
    let file = dir.write("orders.csv", csv(ORDER_COLUMNS, &orders));
    let sql = format!(
        "CREATE TABLE user_analytics AS \n\
         SELECT \n    user_id,\n    COUNT(*) as order_count,\n    SUM(amount) as total_spent,\n    \
         AVG(amount) as avg_order_value\nFROM file://{}\nGROUP BY user_id;\n",
        file.display()
    );
    let database = loaded(&postgres, &orders, &[]);
    assert_eq!(once(&dir, &sql, None), expected(&database, ANALYTICS));
}

#[test]
fn analytics_over_a_topic() {
    let (Some(kafka), Some(postgres)) = (Kafka::shared(), Postgres::shared()) else {
        return;
    };
    let (orders, dir) = (orders(3_000), TestDir::new());
    kafka.create_topic("orders-topic", 3, &[]);
    kafka.produce(
        "orders-topic",
        orders
            .iter()
            .map(|row| Record::new(&row[0], json(ORDER_COLUMNS, row))),
    );
    let sql = "CREATE TABLE user_analytics AS\nSELECT user_id, COUNT(*) as order_count\n\
               FROM kafka://orders-topic\nGROUP BY user_id;\n";
    let database = loaded(&postgres, &orders, &[]);
    let counts = "SELECT user_id, COUNT(*) FROM orders GROUP BY user_id";
    assert_eq!(once(&dir, sql, Some(&kafka)), expected(&database, counts));
}

/// The enrichment, the same for every source.
const ENRICHMENT: &str = "
SELECT
    o.order_id,
    o.product,
    o.amount,
    u.name as user_name,
    u.email as user_email,
    u.subscription_tier,
    CASE
        WHEN u.subscription_tier IN ('premium', 'enterprise')
        THEN true
        ELSE false
    END as discount_eligible
FROM orders o
JOIN user_profiles u
ON o.user_id = u.user_id;
";

fn enriched(postgres: &Postgres) -> Vec<String> {
    let sql = ENRICHMENT
        .replace("THEN true", "THEN 'true'")
        .replace("ELSE false", "ELSE 'false'");
    expected(postgres, sql.trim_end().trim_end_matches(';'))
}

#[test]
fn enrichment_over_files_whatever_their_format() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (orders, profiles, dir) = (orders(2_000), profiles(), TestDir::new());
    dir.write("orders.csv", csv(ORDER_COLUMNS, &orders));
    dir.write("orders.jsonl", json_lines(ORDER_COLUMNS, &orders));
    dir.write("user_profiles.csv", csv(PROFILE_COLUMNS, &profiles));
    dir.write(
        "user_profiles.jsonl",
        json_lines(PROFILE_COLUMNS, &profiles),
    );
    let wanted = enriched(&loaded(&postgres, &orders, &profiles));
    assert!(!wanted.is_empty() && wanted.len() < orders.len());
    for orders in ["orders.csv", "orders.jsonl"] {
        for profiles in ["user_profiles.csv", "user_profiles.jsonl"] {
            let sql = format!(
                "CREATE STREAM orders FROM file://{orders};\n\
                 CREATE TABLE user_profiles AS SELECT * FROM file://{profiles};\n{ENRICHMENT}"
            );
            assert_eq!(once(&dir, &sql, None), wanted, "{orders} {profiles}");
        }
    }
}

#[test]
fn enrichment_over_topics_and_files() {
    let (Some(kafka), Some(postgres)) = (Kafka::shared(), Postgres::shared()) else {
        return;
    };
    let (orders, profiles, dir) = (orders(1_000), profiles(), TestDir::new());
    dir.write("orders.csv", csv(ORDER_COLUMNS, &orders));
    dir.write("user_profiles.csv", csv(PROFILE_COLUMNS, &profiles));
    let order_topic = kafka.unique_topic("orders", 3);
    // Profiles are older than orders, so that each order meets its own.
    let profile_topic = kafka.unique_topic("profiles", 3);
    let records = profiles
        .iter()
        .map(|row| Record::new(&row[0], json(PROFILE_COLUMNS, row)).at(1_000));
    kafka.produce(&profile_topic, records);
    let records = orders
        .iter()
        .map(|row| Record::new(&row[0], json(ORDER_COLUMNS, row)).at(2_000));
    kafka.produce(&order_topic, records);
    let order_stream = format!("CREATE STREAM orders FROM kafka://{order_topic};");
    let profile_table = format!(
        "CREATE TABLE user_profiles (user_id VARCHAR PRIMARY KEY, name VARCHAR, email VARCHAR, \
         subscription_tier VARCHAR) FROM kafka://{profile_topic} WITH (value_format = 'json');"
    );
    let wanted = enriched(&loaded(&postgres, &orders, &profiles));
    for orders in [
        "CREATE STREAM orders FROM file://orders.csv;",
        &order_stream,
    ] {
        for profiles in [
            "CREATE TABLE user_profiles AS SELECT * FROM file://user_profiles.csv;",
            &profile_table,
        ] {
            let sql = format!("{orders}\n{profiles}\n{ENRICHMENT}");
            assert_eq!(
                once(&dir, &sql, Some(&kafka)),
                wanted,
                "{orders} {profiles}"
            );
        }
    }
}

#[test]
fn a_user_who_is_missing_is_absent_or_null_and_counted() {
    let dir = TestDir::new();
    dir.write(
        "orders.csv",
        "order_id,user_id,product,amount\n1,a,x,1.00\n2,nobody,y,2.00\n3,,z,3.00\n",
    );
    dir.write("users.csv", "user_id,name\na,Ada\n");
    let query = |kind: &str| {
        let sql = format!(
            "CREATE TABLE enriched AS SELECT o.order_id, u.name FROM file://orders.csv o {kind} JOIN file://users.csv u ON o.user_id = u.user_id;"
        );
        let script = dir.write("app.sql", sql);
        Ferris::new(["run", "--once", "--output", "csv"])
            .arg(script)
            .run()
            .assert_success()
    };
    let inner = query("INNER");
    assert_eq!(result(&inner.stdout), ["1,Ada"]);
    assert!(
        inner.stderr.contains("2 records found no row"),
        "{}",
        inner.stderr
    );
    let left = query("LEFT");
    assert_eq!(result(&left.stdout), ["1,Ada", "2,", "3,"]);
    assert!(
        left.stderr.contains("2 records found no row"),
        "{}",
        left.stderr
    );
}

#[test]
fn decimals_are_exact() {
    let dir = TestDir::new();
    let sql = "CREATE TABLE dimes (at INT, amount DECIMAL(10, 2));\n\
        INSERT INTO dimes VALUES (1, 0.10), (2, 0.10), (3, 0.10), (4, 0.10), (5, 0.10), (6, 0.10), (7, 0.10), (8, 0.10), (9, 0.10), (10, 0.10);\n\
        SELECT SUM(amount) FROM dimes;\n\
        SELECT 1.00 / 3.00, -0.05, 1.50 = 1.5;\n";
    let script = dir.write("app.sql", sql);
    let run = Ferris::new(["run", "--once", "--output", "csv"])
        .arg(script)
        .run()
        .assert_success();
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(lines[1], "1.00", "{}", run.stdout);
    assert_eq!(lines[3], "0.333333,-0.05,true", "{}", run.stdout);
}
