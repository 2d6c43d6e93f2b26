//! Values, filters and records, by whatever way they come in.

use kjerne_tests::{Server, Workspace};
use serde_json::{Value as Json, json};

use crate::desk::{import, reads};

/// Makes a record and answers its id.
fn made(workspace: &Workspace, kind: &str, fields: &[&str]) -> String {
    let mut args = vec!["create", kind];
    args.extend(fields);
    workspace.json(&args)["id"].as_str().unwrap().to_owned()
}

/// The names of the records a filter finds, by the command line.
fn found(workspace: &Workspace, kind: &str, filter: &str) -> Vec<String> {
    names(&workspace.json(&["list", kind, "--filter", filter, "--order-by", "name"]))
}

fn names(page: &Json) -> Vec<String> {
    let records = page["records"].as_array().unwrap();
    let name = |record: &Json| {
        record["fields"]["name"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    records.iter().map(name).collect()
}

/// A list by a filter over HTTP: the status and the body.
fn listed(server: &Server, kind: &str, filter: &str) -> (u16, Json) {
    let encoded: String = filter.bytes().map(|byte| format!("%{byte:02X}")).collect();
    server.get(&format!("/v1/records/{kind}?filter={encoded}"))
}

#[test]
fn v1_minor_units_and_codes_are_those_of_iso_4217() {
    let workspace = Workspace::new();
    for (amount, is_taken) in [
        ("1500.50 XOF", false),
        ("1500 XOF", true),
        ("1.5 XAF", false),
        ("1.5 XPF", false),
        ("1.5 UGX", false),
        ("1.55 HUF", true),
        ("1.555 IQD", true),
        ("1.5 XAU", false),
        ("1 XYZ", false),
        ("1 ABC", false),
        ("1.5 XCG", true),
        ("1.5 CHE", true),
        ("1.5 DEM", true),
        ("1.5 ITL", false),
        // The old leu's bani were long gone when it was withdrawn.
        ("1.5 ROL", false),
    ] {
        let field = format!("amount={amount}");
        let ran = workspace.run(&["create", "opportunity", "name=O", &field]);
        assert_eq!(
            ran.code,
            if is_taken { 0 } else { 3 },
            "{amount}: {}",
            ran.err
        );
    }
    let table = [
        ("1.5 XOF", "-"),
        ("1 XYZ", "-"),
        ("1.5", "-"),
        ("15", "15 XPF"),
    ];
    reads("account", "annual_revenue", "currency = \"XPF\"", &table);
    for filter in ["amount eq '1.5 XOF'", "amount/currency eq 'XYZ'"] {
        let ran = workspace.run(&["list", "opportunity", "--filter", filter]);
        assert_eq!(ran.code, 2, "{filter}");
    }
}

#[test]
fn v2_an_e_mail_address_compares_without_case_in_every_path() {
    let workspace = Workspace::with_plugins(&["webhook", "service-rules"]);
    let bo = made(
        &workspace,
        "contact",
        &["name=Bo", "email=BO@Muller.example"],
    );
    for filter in [
        "email eq 'bo@muller.example'",
        "email in ('bo@MULLER.example')",
        "email ge 'bo@muller.example' and email le 'bo@muller.example'",
        "not (email ne 'bo@muller.example')",
    ] {
        assert_eq!(found(&workspace, "contact", filter), ["Bo"], "{filter}");
    }
    // Stored is what was written.
    let record = workspace.json(&["get", "contact", &bo]);
    assert_eq!(record["fields"]["email"], "BO@Muller.example");
    let map = "[fields]\nname = \"N\"\ncontact = { column = \"E\", lookup = \"contact.email\" }\n";
    let imported = import(&workspace, "opportunity", map, "N,E\nx,bo@muller.EXAMPLE\n");
    assert_eq!(imported.code, 0, "{}", imported.rejects);
    made(&workspace, "user", &["name=Kari", "email=Kari@Example.com"]);
    let again = workspace.run(&["create", "user", "name=Other", "email=kari@example.COM"]);
    assert_eq!(again.code, 3, "unique");
    // A web form is found its sender.
    let server = workspace.serve();
    let form = json!({"form": "support", "submission_id": "17", "email": "bo@muller.example",
                      "name": "Bo", "subject": "Pump", "message": "It leaks"});
    let (status, told) = server.post("/v1/integrations/webhook/form", &form);
    assert_eq!(status, 200, "{told}");
    let (_, cases) = server.get("/v1/records/case");
    assert_eq!(
        cases["records"][0]["fields"]["contact"],
        format!("contact/{bo}")
    );
}

/// Text in which there is nothing to read.
const NOTHING: [&str; 14] = [
    " ",
    "\t",
    "\u{a0}",
    "\u{3000}",
    "\u{200b}",
    "\u{feff}",
    "\u{2060}",
    "\u{ad}",
    "\u{3164}",
    "\u{2800}",
    "\n",
    "\u{fe0f}",
    "\u{17b4}",
    "\u{e0020}",
];

#[test]
fn v3_what_has_nothing_to_read_is_empty_by_every_way_in() {
    let workspace = Workspace::new();
    for blank in NOTHING {
        let name = format!("name={blank}");
        let ran = workspace.run(&["create", "account", &name]);
        assert_eq!(ran.code, 3, "{blank:?}: {}", ran.out);
    }
    let map = "keep_blanks = true\n[fields]\nname = \"N\"\nsegment = \"S\"\n";
    let rows: String = NOTHING
        .iter()
        .map(|blank| format!("\"{blank}\",x\n"))
        .collect();
    let imported = import(&workspace, "account", map, format!("N,S\n{rows}"));
    assert_eq!(
        imported.report["rejected"],
        NOTHING.len(),
        "{}",
        imported.rejects
    );
    // A cell of nothing is an empty one, whatever its field holds.
    let map = "[fields]\nname = \"N\"\nexternal_id = \"N\"\nsegment = \"S\"\nemployees = \"S\"\n\
               parent = { column = \"S\", lookup = \"account.name\" }\n";
    let row = |(row, blank): (usize, &&str)| format!("r{row},\"{blank}\"\n");
    let rows: String = NOTHING.iter().enumerate().map(row).collect();
    let imported = import(&workspace, "account", map, format!("N,S\n{rows}"));
    let created = &imported.report["created"];
    assert_eq!(created, NOTHING.len(), "{}", imported.rejects);
    let server = workspace.serve();
    for blank in NOTHING {
        let (status, told) =
            server.post("/v1/records/account", &json!({"fields": {"name": blank}}));
        assert_eq!(status, 422, "{blank:?}: {told}");
        // What may be empty is cleared by null, and text without anything in it is refused.
        let fields = json!({"fields": {"name": "A", "segment": blank}});
        let (status, _) = server.post("/v1/records/account", &fields);
        assert_eq!(status, 422, "{blank:?}");
    }
}

#[test]
fn v4_what_a_plugin_makes_of_a_value_that_somebody_wrote_is_told() {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let account = made(&workspace, "account", &["name=Acme"]);
    let of = format!("account={account}");
    let fields = ["name=O", "pipeline=standard", "stage=qualify", of.as_str()];
    let id = made(&workspace, "opportunity", &fields);
    let ran = workspace
        .run(&["set", "opportunity", &id, "probability=99"])
        .ok();
    let told = "plugin sales-stages set probability to";
    assert!(ran.out.contains(told), "{}", ran.out);
    let cleared = workspace
        .run(&["set", "opportunity", &id, "probability="])
        .ok();
    assert!(cleared.out.contains(told), "{}", cleared.out);
    let dry = workspace
        .run(&["set", "opportunity", &id, "probability=99", "--dry-run"])
        .ok();
    assert!(dry.out.contains(told), "{}", dry.out);
    let server = workspace.serve();
    let change = json!({"update": "opportunity", "id": id, "fields": {"probability": 98}});
    let (_, receipt) = server.post("/v1/commits", &json!({"changes": [change]}));
    let told = &receipt["overridden"][0];
    assert_eq!(
        (&told["plugin"], &told["field"]),
        (&json!("sales-stages"), &json!("probability"))
    );
}

#[test]
fn v5_a_hierarchy_never_leads_back_to_where_it_began() {
    let workspace = Workspace::new();
    for (kind, field, more) in [
        ("account", "parent", &["name=A"][..]),
        ("team", "parent", &["name=T"]),
        ("user", "manager", &["name=U", "email=u@example.com"]),
    ] {
        let above = made(&workspace, kind, more);
        let own = [format!("{field}={above}"), format!("external_id={kind}")];
        assert_eq!(
            workspace.run(&["set", kind, &above, &own[0]]).code,
            3,
            "{kind} of itself"
        );
        let below = made(
            &workspace,
            kind,
            &["name=below", "email=b@example.com", &own[0]][..]
                .iter()
                .filter(|word| kind != "team" || !word.starts_with("email"))
                .copied()
                .collect::<Vec<_>>(),
        );
        let back = format!("{field}={below}");
        assert_eq!(
            workspace.run(&["set", kind, &above, &back]).code,
            3,
            "{kind} below itself"
        );
    }
    let map = "[fields]\nexternal_id = \"K\"\nname = \"N\"\n\
               parent = { column = \"P\", lookup = \"account.external_id\" }\n";
    let imported = import(
        &workspace,
        "account",
        map,
        "K,N,P\n1,One,2\n2,Two,1\n3,Three,3\n",
    );
    assert_eq!(imported.report["rejected"], 3, "{}", imported.rejects);
    // Two changes of one commit close a circle together.
    let [one, two] =
        ["One", "Two"].map(|name| made(&workspace, "account", &[&format!("name={name}")]));
    let server = workspace.serve();
    let under = |id: &str, parent: &str| {
        let parent = format!("account/{parent}");
        json!({"update": "account", "id": id, "fields": {"parent": parent}})
    };
    let circle = json!({"changes": [under(&one, &two), under(&two, &one)]});
    assert_eq!(server.post("/v1/commits", &circle).0, 422);
}

#[test]
fn v6_a_word_that_is_said_twice_is_refused() {
    let workspace = Workspace::new();
    let server = workspace.serve();
    for words in [
        "filter=name%20eq%20'A'&$filter=name%20eq%20'B'",
        "filter=name%20eq%20'A'&filter=name%20eq%20'B'",
        "filter=&filter=name%20eq%20'B'",
        "top=1&$top=2",
        "sort=name&$orderby=name",
        "sort=name&order_by=name",
        "select=name&$select=region",
        "cursor=a&after=b",
        "%66ilter=name%20eq%20'A'&filter=name%20eq%20'B'",
    ] {
        let (status, told) = server.get(&format!("/v1/records/account?{words}"));
        assert_eq!(status, 400, "{words}: {told}");
    }
    for path in [
        "/v1/journal?limit=1&limit=2",
        "/v1/journal?after=1&after=1",
        "/v1/kinds?x=1",
        "/v1/plugins?x=1",
        "/v1/reports/pipeline?x=1",
    ] {
        assert_eq!(server.get(path).0, 400, "{path}");
    }
    // A word that is not looked at is no condition.
    let (_, record) = server.post("/v1/records/account", &json!({"fields": {"name": "A"}}));
    let place = format!("/v1/records/account/{}", record["id"].as_str().unwrap());
    let (status, told) = server.send("DELETE", &format!("{place}?expected=9"), &[], None);
    assert_eq!((status, server.get(&place).0), (400, 200), "{told}");
    assert_eq!(server.get(&format!("{place}?select=name")).0, 400);
}

#[test]
fn v7_id_and_version_may_be_selected_filtered_and_sorted() {
    let workspace = Workspace::new();
    let id = made(&workspace, "account", &["name=A"]);
    let ran = workspace.run(&[
        "--output",
        "csv",
        "list",
        "account",
        "--select",
        "name,id,version",
    ]);
    assert_eq!(ran.ok().out, format!("name,id,version\nA,{id},1\n"));
    let filter = format!("id eq {id} and version ge 1 and version in (1,2)");
    assert_eq!(found(&workspace, "account", &filter), ["A"]);
    let _ = workspace
        .run(&["list", "account", "--order-by", "version desc,id"])
        .ok();
    let server = workspace.serve();
    let (status, page) = server.get("/v1/records/account?select=id,name,version&sort=-id");
    let record = &page["records"][0];
    assert_eq!(
        (status, &record["id"], &record["version"]),
        (200, &json!(id), &json!(1))
    );
    assert_eq!(server.get("/v1/records/account?select=nothing").0, 400);
}

#[test]
fn v8_null_may_stand_in_a_list() {
    let workspace = Workspace::new();
    for fields in [
        &["name=A", "segment=x", "employees=1", "tier=gold"][..],
        &["name=B", "segment=y", "employees=2", "tier=silver"],
        &["name=C"],
    ] {
        made(&workspace, "account", fields);
    }
    for (filter, wanted) in [
        ("segment in ('x', null)", &["A", "C"][..]),
        ("segment in (null)", &["C"]),
        ("not (segment in ('x', null))", &["B"]),
        ("employees in (null, 2.0)", &["B", "C"]),
        ("tier in ('gold', NULL)", &["A", "C"]),
        ("parent in (null)", &["A", "B", "C"]),
        ("billing_address/city in ('x', null)", &["A", "B", "C"]),
    ] {
        assert_eq!(found(&workspace, "account", filter), wanted, "{filter}");
    }
}

#[test]
fn v9_an_error_names_the_rule_that_was_broken() {
    let workspace = Workspace::new();
    let most = "at most 92233720368547758.07 NOK";
    for (field, told) in [
        ("amount=1000000000000000000 NOK", most),
        ("amount=-1000000000000000000 NOK", most),
        ("amount=92233720368547758.08 NOK", most),
        ("amount=99999999999999999999999 NOK", most),
        ("amount=1.555 NOK", "at most 2 decimals"),
        (
            "amount=9223372036854775808 JPY",
            "at most 9223372036854775807 JPY",
        ),
        ("probability=9223372036854775808", "to 9223372036854775807"),
    ] {
        let ran = workspace.run(&["create", "opportunity", "name=O", field]);
        assert!(ran.err.contains(told), "{field}: {}", ran.err);
    }
    for (filter, told) in [
        ("amount eq '1000000000000000000 NOK'", most),
        ("amount eq '1.5 XOF'", "XOF has no minor unit"),
        (
            "probability eq 9223372036854775808",
            "to 9223372036854775807",
        ),
    ] {
        let ran = workspace.run(&["list", "opportunity", "--filter", filter]);
        assert!(ran.err.contains(told), "{filter}: {}", ran.err);
    }
    let map = "currency = \"NOK\"\n[fields]\nname = \"N\"\namount = \"A\"\n";
    for cell in ["1000000000000000000", "99999999999999999999999"] {
        let imported = import(&workspace, "opportunity", map, format!("N,A\nx,{cell}\n"));
        assert!(imported.rejects.contains(most), "{}", imported.rejects);
    }
    let server = workspace.serve();
    let body = json!({"fields": {"name": "O", "probability": 9_223_372_036_854_775_808_u64}});
    let (_, told) = server.post("/v1/records/opportunity", &body);
    assert!(
        told["detail"]
            .to_string()
            .contains("to 9223372036854775807"),
        "{told}"
    );
}

#[test]
fn v10_a_date_where_an_instant_is_needed_is_an_error_that_says_how_to_write_it() {
    let workspace = Workspace::new();
    made(
        &workspace,
        "opportunity",
        &[
            "name=O",
            "opened_at=2026-07-07T12:00:00Z",
            "closing_date=2026-07-07",
        ],
    );
    for filter in [
        "opened_at le 2026-07-07",
        "opened_at eq '2026-07-07'",
        "opened_at in (2026-07-07)",
        "created_at ge 2026-07-07",
    ] {
        let ran = workspace.run(&["list", "opportunity", "--filter", filter]);
        assert_eq!(ran.code, 2, "{filter}: {}", ran.out);
        assert!(
            ran.err.contains("2026-01-31T00:00:00+01:00"),
            "{filter}: {}",
            ran.err
        );
    }
    for filter in [
        "opened_at lt 2026-07-08T00:00:00+02:00",
        "closing_date le 2026-07-07",
    ] {
        assert_eq!(found(&workspace, "opportunity", filter), ["O"], "{filter}");
    }
}

#[test]
fn c3_filters_are_true_false_or_unknown_as_odata_has_it() {
    let workspace = Workspace::new();
    made(&workspace, "contact", &["name=E"]);
    made(&workspace, "contact", &["name=F", "email=x@y.example"]);
    made(&workspace, "opportunity", &["name=O", "amount=5 NOK"]);
    for (filter, wanted) in [
        ("not contains(email,'z')", &["F"][..]),
        ("not startswith(email,'z')", &["F"]),
        ("not (contains(email,'z') or name eq 'Q')", &["F"]),
        ("not (contains(email,'z') and name eq 'Q')", &["E", "F"]),
        ("email ne 'z@z.example'", &["E", "F"]),
        ("name EQ 'E' AND email EQ NULL", &["E"]),
        ("NOT name Eq 'E'", &["F"]),
        ("CONTAINS(name,'e')", &["E"]),
        ("name IN ('E')", &["E"]),
    ] {
        assert_eq!(found(&workspace, "contact", filter), wanted, "{filter}");
    }
    // A number is no amount, which the error says; what can be compared is the number alone.
    let ran = workspace.run(&["list", "opportunity", "--filter", "amount gt 1"]);
    assert!(
        ran.code == 2 && ran.err.contains("1250.50 NOK"),
        "{}",
        ran.err
    );
    assert_eq!(found(&workspace, "opportunity", "amount/minor gt 1"), ["O"]);
    let server = workspace.serve();
    let (status, page) = listed(&server, "contact", "not contains(email,'z')");
    assert_eq!((status, names(&page)), (200, vec!["F".to_owned()]));
}

#[test]
fn v11_a_record_may_be_typed_by_what_names_it_and_lists_show_the_names() {
    let workspace = Workspace::new();
    let kari = made(&workspace, "user", &["name=Kari", "email=Kari@Example.com"]);
    let acme = made(&workspace, "account", &["name=Acme AS", "external_id=K-1"]);
    made(&workspace, "account", &["name=Twin"]);
    made(&workspace, "account", &["name=Twin"]);
    for (typed, record) in [
        ("owner=kari@example.com", format!("user/{kari}")),
        ("owner=Kari", format!("user/{kari}")),
        ("account=Acme AS", format!("account/{acme}")),
        ("account=K-1", format!("account/{acme}")),
        ("account=account/Acme AS", format!("account/{acme}")),
    ] {
        let id = made(&workspace, "opportunity", &["name=O", typed]);
        let field = typed.split_once('=').unwrap().0;
        let held = workspace.json(&["get", "opportunity", &id]);
        assert_eq!(held["fields"][field], record, "{typed}");
        let _ = workspace.run(&["set", "opportunity", &id, typed]).ok();
        let shown = workspace.run(&["get", "opportunity", &id]).ok().out;
        assert!(
            shown.contains("Acme AS") || shown.contains("Kari"),
            "{shown}"
        );
    }
    // One field may refer to several kinds.
    let task = made(
        &workspace,
        "task",
        &["subject=t", "status=open", "about=Acme AS"],
    );
    let held = workspace.json(&["get", "task", &task]);
    assert_eq!(held["fields"]["about"], format!("account/{acme}"));
    for (typed, told) in [
        ("account=Twin", "2 found"),
        ("account=Nobody's", "no account has \"Nobody's\""),
        ("owner=K-1", "no user has"),
        ("account=user/Kari", "no account has"),
    ] {
        let ran = workspace.run(&["create", "opportunity", "name=O", typed]);
        assert!(
            ran.code == 2 && ran.err.contains(told),
            "{typed}: {}",
            ran.err
        );
    }
    let list = workspace.run(&["list", "opportunity"]).ok().out;
    assert!(list.contains("Acme AS") && list.contains(&acme), "{list}");
    let sheet = workspace
        .run(&["--output", "csv", "list", "opportunity"])
        .ok()
        .out;
    assert!(!sheet.contains("Acme AS"), "{sheet}");
    // The same beside a server.
    let server = workspace.serve();
    made(
        &workspace,
        "opportunity",
        &["name=Beside", "account=Acme AS"],
    );
    assert_eq!(listed(&server, "opportunity", "name eq 'Beside'").0, 200);
}
