//! Files of other systems: identity, dates, amounts, look-ups and what an import tells in the end.

use kjerne_tests::{Workspace, root};
use serde_json::{Value as Json, json};

use crate::desk::{held, import, import_so, reads};

const KEYED: &str = "key = \"external_id\"\n[fields]\nexternal_id = \"K\"\nname = \"N\"\n";

fn names(workspace: &Workspace, kind: &str) -> Vec<String> {
    let all = held(workspace, kind, "id");
    all.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn i1_ids_that_differ_in_case_alone_are_two_records() {
    let workspace = Workspace::new();
    let (one, other) = ("001Fict0000AbCdE", "001Fict0000aBcDe");
    import(&workspace, "account", KEYED, format!("K,N\n{one},Acme\n"));
    import(&workspace, "account", KEYED, format!("K,N\n{other},Berg\n"));
    assert_eq!(names(&workspace, "account"), ["Acme", "Berg"]);
    // The same holds where the id is looked up, filtered by, and typed.
    let map =
        "[fields]\nname = \"N\"\naccount = { column = \"A\", lookup = \"account.external_id\" }\n";
    let file = format!("N,A\nx,{one}\ny,{other}\nz,{}\n", one.to_lowercase());
    let imported = import(&workspace, "contact", map, file);
    assert_eq!((imported.code, names(&workspace, "contact").len()), (3, 2));
    let filter = format!("external_id eq '{}'", one.to_uppercase());
    let page = workspace.json(&["list", "account", "--filter", &filter]);
    assert_eq!(page["records"], json!([]));
    let key = format!("external_id={}", one.to_lowercase());
    let _ = workspace
        .run(&["create", "account", "name=Carl", &key])
        .ok();
}

#[test]
fn i2_an_offset_is_read_or_the_row_is_rejected() {
    let table = [
        ("2022-03-25T08:00:00-0500", "2022-03-25T13:00:00Z"),
        ("2022-03-25T08:00:00+0000", "2022-03-25T08:00:00Z"),
        ("2022-03-25 08:00:00+00", "2022-03-25T08:00:00Z"),
        ("2022-03-25T08:00-05", "2022-03-25T13:00:00Z"),
        ("20220325T080000-0500", "2022-03-25T13:00:00Z"),
        ("2022-03-25T08:00:00[UTC]", "2022-03-25T08:00:00Z"),
        ("2022-03-25T08:00:00,5-0500", "2022-03-25T13:00:00.500Z"),
        ("2022-03-25T08:00:00 -0500", "-"),
        ("2022-03-25T08:00:00+01:00[America/New_York]", "-"),
        ("2022-03-25T08:00:00 EST", "-"),
        ("2022-03-25T08:00:00+5", "-"),
        ("2022-03-25+0100", "-"),
        // No place is a day ahead or behind.
        ("2022-03-25T08:00:00+24:00", "-"),
        ("2022-03-25T08:00:00+2500", "-"),
        ("2022-03-25T08:00:00-25", "-"),
        ("2022-03-25T08:00:00", "2022-03-25T07:00:00Z"),
    ];
    reads("opportunity", "opened_at", "zone = \"Europe/Oslo\"", &table);
    let forms = "zone = \"Europe/Oslo\"\ninstant_formats = [\"%d.%m.%Y %H:%M %z\"]";
    let table = [
        ("25.03.2022 08:00 -0500", "2022-03-25T13:00:00Z"),
        ("25.03.2022 08:00 +25:00", "-"),
        ("25.03.2022 08:00", "-"),
    ];
    reads("opportunity", "opened_at", forms, &table);
}

#[test]
fn i3_a_year_has_as_many_digits_as_its_form_says() {
    let four = [
        ("15/05/2020", "2020-05-15"),
        ("15/05/20", "-"),
        ("15/05/2", "-"),
        ("15/05/020", "-"),
        ("15/05/20200", "-"),
    ];
    let head = "date_formats = [\"%d/%m/%Y\"]";
    reads("opportunity", "closing_date", head, &four);
    let two = [
        ("15/05/20", "2020-05-15"),
        ("15/05/69", "1969-05-15"),
        ("15/05/2", "-"),
        ("15/05/020", "-"),
        ("15/05/2020", "-"),
    ];
    let head = "date_formats = [\"%d/%m/%y\"]";
    reads("opportunity", "closing_date", head, &two);
    let american = [("5/15/20", "2020-05-15"), ("5/15/2", "-")];
    reads(
        "opportunity",
        "closing_date",
        "date_formats = [\"%D\"]",
        &american,
    );
    let instants = [
        ("15/05/2020 08:00", "2020-05-15T08:00:00Z"),
        ("15/05/20 08:00", "-"),
        ("15/05/020 08:00", "-"),
    ];
    let head = "instant_formats = [\"%d/%m/%Y %H:%M\"]";
    reads("opportunity", "opened_at", head, &instants);
}

#[test]
fn i4_a_currency_that_a_cell_names_is_never_dropped() {
    let norwegian = [
        ("€ 500", "500.00 EUR"),
        ("500€", "500.00 EUR"),
        ("£500", "500.00 GBP"),
        ("US$ 500", "500.00 USD"),
        ("kr 500", "500.00 NOK"),
        ("500 kr.", "500.00 NOK"),
        ("500", "500.00 NOK"),
        ("$500", "-"),
        ("¥500", "-"),
        ("Rs 500", "-"),
        ("500 XYZ", "-"),
        ("€ 500 NOK", "-"),
        ("500 EUR NOK", "-"),
        ("$ 500 NOK", "-"),
    ];
    reads(
        "account",
        "annual_revenue",
        "currency = \"NOK\"",
        &norwegian,
    );
    let yen = [("¥500", "500 JPY"), ("$500", "-"), ("kr 500", "-")];
    reads("account", "annual_revenue", "currency = \"JPY\"", &yen);
    // A pound is that of the mapping where it has one, and the British one elsewhere.
    let pounds = [("£500", "500.00 EGP"), ("£500 GBP", "500.00 GBP")];
    reads("account", "annual_revenue", "currency = \"EGP\"", &pounds);
    let pesos = [("₱500", "500.00 CUP")];
    reads("account", "annual_revenue", "currency = \"CUP\"", &pesos);
}

#[test]
fn i5_a_look_up_that_fits_two_rows_is_refused_wherever_they_are() {
    let map = format!("{KEYED}parent = {{ column = \"P\", lookup = \"account.name\" }}\n");
    let filler: String = (0..600).map(|row| format!("f{row},F{row},\n")).collect();
    for file in [
        "1,Acme,\n2,Acme,\n3,Child,Acme\n".to_owned(),
        "3,Child,Acme\n1,Acme,\n2,Acme,\n".to_owned(),
        "1,Acme,\n3,Child,Acme\n2,Acme,\n".to_owned(),
        format!("1,Acme,\n3,Child,Acme\n{filler}2,Acme,\n"),
    ] {
        let workspace = Workspace::new();
        let file = format!("K,N,P\n{file}");
        let tried = import_so(&workspace, "account", &map, &file, &["--dry-run"]);
        let done = import(&workspace, "account", &map, &file);
        for imported in [tried, done] {
            assert_eq!(
                (imported.code, &imported.report["rejected"]),
                (3, &json!(1))
            );
            let told = imported.rejects;
            assert!(told.contains("more than one account has name"), "{told}");
        }
    }
    let workspace = Workspace::new();
    let itself = import(&workspace, "account", &map, "K,N,P\n1,Acme,Acme\n");
    assert_eq!(itself.report["rejected"], 1, "{}", itself.rejects);
}

#[test]
fn i6_digits_that_something_else_separates_are_no_number() {
    let table = [
        ("1,234", "1234"),
        ("1 234", "1234"),
        ("1'234", "1234"),
        ("500\n700", "-"),
        ("500\r\n700", "-"),
        ("10 20", "-"),
        ("5'11", "-"),
        ("1\t234", "-"),
        ("1 234,567", "-"),
        ("1  234", "-"),
        ("1,,234", "-"),
        ("1\u{200b}234", "-"),
        ("10-20", "-"),
    ];
    reads("account", "employees", "", &table);
    let money = [("500\n700", "-"), ("10 20", "-"), ("5'11 NOK", "-")];
    reads("account", "annual_revenue", "currency = \"NOK\"", &money);
    let grouped = [("1.234", "1234"), ("1,234", "-")];
    let head = "decimal_comma = true\ngrouping = \".\"";
    reads("account", "employees", head, &grouped);
}

#[test]
fn i7_every_comparison_sees_the_cell_trimmed_and_after_empty() {
    let workspace = Workspace::new();
    let map = "keep_blanks = true\nempty = [\"n/a\"]\n[skip]\nD = [\"true\"]\n[fields]\nname = \"N\"\n\
               tier = { column = \"T\", values = { A = \"gold\", \"\" = \"silver\" } }\n";
    let file = "N,D,T\na,true ,A\nb, true,A\nc,\"true\n\",A\nd,no,A \ne,no, n/a \n";
    let imported = import(&workspace, "account", map, file);
    assert_eq!((imported.code, &imported.report["skipped"]), (0, &json!(3)));
    let tiers = held(&workspace, "account", "tier");
    let wanted = [("d", "gold"), ("e", "silver")];
    assert_eq!(
        tiers,
        wanted.map(|(name, tier)| (name.to_owned(), json!(tier)))
    );
}

/// A workspace with the pipeline's rules and one account.
fn stages() -> Workspace {
    let workspace = Workspace::with_plugins(&["sales-stages"]);
    let _ = workspace
        .run(&["create", "account", "name=Acme", "external_id=a1"])
        .ok();
    workspace
}

#[test]
fn i8_what_gets_the_time_of_the_import_is_told() {
    let map = "[fields]\nname = \"N\"\nstage = \"S\"\npipeline = { constant = \"standard\" }\n\
               account = { column = \"A\", lookup = \"account.external_id\" }\n";
    for more in [&["--dry-run"][..], &[]] {
        let workspace = stages();
        let file = "N,S,A\nx,qualify,a1\n";
        let imported = import_so(&workspace, "opportunity", map, file, more);
        assert_eq!(imported.code, 0, "{}", imported.rejects);
        let told = imported.report["filled"].to_string();
        assert!(
            told.contains("stage_since") && told.contains("opened_at"),
            "{told}"
        );
    }
}

#[test]
fn i8_the_shipped_map_leaves_no_date_of_history_to_the_import() {
    // The maps of an earlier build can be named, as its binary can.
    let maps = std::env::var_os("KJERNE_MAPS");
    let maps = maps.map_or_else(|| root().join("tests/import/maps"), Into::into);
    let map = std::fs::read_to_string(maps.join("salesforce-opportunities.toml")).unwrap();
    let workspace = stages();
    let file = "ID,NAME,ACCOUNTID,STAGENAME,AMOUNT,CLOSEDATE,TYPE,NEXTSTEP,LEADSOURCE,CREATEDDATE,\
                LASTMODIFIEDDATE,DESCRIPTION,ISDELETED\n\
                o1,Old,a1,Closed Won,5,2020-03-01,,,,2020-01-01T08:00:00Z,2020-02-01T08:00:00Z,,false\n";
    let imported = import(&workspace, "opportunity", &map, file);
    assert_eq!(imported.code, 0, "{} {}", imported.err, imported.rejects);
    for (field, date) in [
        ("stage_since", "2020-02-01T08:00:00Z"),
        ("closed_on", "2020-03-01"),
        ("opened_at", "2020-01-01T08:00:00Z"),
    ] {
        assert_eq!(held(&workspace, "opportunity", field)[0].1, date, "{field}");
    }
}

#[test]
fn i9_the_delimiter_that_gives_every_row_the_headers_width_wins() {
    let map = "currency = \"NOK\"\ndecimal_comma = true\n[fields]\nname = \"Name\"\n\
               annual_revenue = \"Amount, NOK\"\n";
    for (mark, quote) in [(";", ""), ("\t", ""), ("|", ""), (",", "\"")] {
        let workspace = Workspace::new();
        let row = |cells: [&str; 2]| cells.map(|cell| format!("{quote}{cell}{quote}")).join(mark);
        let file = [row(["Name", "Amount, NOK"]), row(["Acme", "1234,50"])].join("\n");
        let imported = import(&workspace, "account", map, &file);
        assert_eq!(imported.code, 0, "{file}: {}", imported.err);
        let revenue = held(&workspace, "account", "annual_revenue");
        assert_eq!(
            revenue[0].1,
            json!({"amount": "1234.50", "currency": "NOK"}),
            "{file}"
        );
    }
    let workspace = Workspace::new();
    let file = "name;street, no;zip, city\nAcme;Storgata, 1;0155, Oslo\n";
    import(&workspace, "account", "[fields]\nname = \"name\"\n", file);
    assert_eq!(names(&workspace, "account"), ["Acme"]);
}

#[test]
fn i10_phones_are_read_with_their_extension_and_compared_by_what_they_dial() {
    let taken = [
        "+47 22 33 44 55 Ext. 12",
        "+47 22334455 EXT2",
        "+47 22334455 extension 100",
        "+47\u{a0}22\u{a0}33\u{a0}44\u{a0}55",
        "tel:+47-22-33-44-55",
        "+47 22 33 44 55;ext=12",
    ];
    let mut table: Vec<(&str, &str)> = taken.iter().map(|cell| (*cell, *cell)).collect();
    table.extend(["call me", "1-800-FLOWERS", "90 00 00 00 Kari", "12"].map(|cell| (cell, "-")));
    reads("account", "phone", "", &table);
    let workspace = Workspace::new();
    let _ = workspace
        .run(&["create", "account", "name=A", "phone=tel:+47-22-33-44-55"])
        .ok();
    for same in ["+47 22 33 44 55", "0047 22334455", "+47 (0)22 33 44 55"] {
        let filter = format!("phone eq '{same}'");
        let page = workspace.json(&["list", "account", "--filter", &filter]);
        assert_eq!(page["records"].as_array().map(Vec::len), Some(1), "{same}");
    }
}

#[test]
fn i11_schemes_have_no_case() {
    let taken = [
        "HTTP://example.com",
        "Https://example.com/A",
        "hTTps://www.example.org",
    ];
    let table = taken.map(|cell| (cell, cell));
    reads("account", "website", "", &table);
    let workspace = Workspace::new();
    for (row, address) in taken.iter().enumerate() {
        let (name, website) = (format!("name={row}"), format!("website={address}"));
        let _ = workspace.run(&["create", "account", &name, &website]).ok();
    }
}

#[test]
fn i12_rows_that_repeat_a_key_on_purpose_are_no_rejects() {
    let file = "K,N\n1,A\n1,A\n2,B\n1,A\n1,C\n";
    for (way, code, name, left_out) in [
        ("first", 0, "A", 3),
        ("last", 0, "C", 3),
        ("same", 3, "A", 2),
    ] {
        let workspace = Workspace::new();
        let map = format!("repeated_keys = \"{way}\"\n{KEYED}");
        let imported = import(&workspace, "account", &map, file);
        assert_eq!(imported.code, code, "{way}: {}", imported.err);
        let report = &imported.report;
        assert_eq!(report["repeated"], left_out, "{way}: {report}");
        assert!(
            names(&workspace, "account").contains(&name.to_owned()),
            "{way}"
        );
    }
}

#[test]
fn i13_an_import_ends_with_a_summary_by_column_and_reason_and_with_what_stayed_empty() {
    let workspace = Workspace::new();
    let mut file = "N,E,S\n".to_owned();
    (0..700).for_each(|row| file.push_str(&format!("n{row},x,\n")));
    (0..30).for_each(|row| file.push_str(&format!("m{row},,\n")));
    let map = "[fields]\nname = \"N\"\nemployees = \"E\"\nsegment = \"S\"\n";
    let imported = import(&workspace, "account", map, file);
    let report = &imported.report;
    assert_eq!(report["rejected"], 700);
    let reasons = report["reasons"].as_array().cloned().unwrap_or_default();
    let told: Vec<(&Json, &Json)> = reasons
        .iter()
        .map(|one| (&one["column"], &one["rows"]))
        .collect();
    assert_eq!(told, [(&json!("E"), &json!(700))]);
    assert_eq!(report["empty"], json!({"employees": 30, "segment": 30}));
}

#[test]
fn i14_negative_amounts_and_scaled_columns_are_read_as_the_mapping_says() {
    let minus = [
        ("-$500", "-500.00 USD"),
        ("$-500", "-500.00 USD"),
        ("(500)", "-"),
        ("500-", "-"),
    ];
    reads("account", "annual_revenue", "currency = \"USD\"", &minus);
    for (negative, taken, refused) in [
        ("brackets", "(1,234.50)", "1,234.50-"),
        ("trailing", "1,234.50-", "(1,234.50)"),
    ] {
        let head = format!("currency = \"USD\"\nnegative = \"{negative}\"");
        let table = [
            (taken, "-1234.50 USD"),
            (refused, "-"),
            ("-(5)-", "-"),
            ("-5", "-5.00 USD"),
        ];
        reads("account", "annual_revenue", &head, &table);
    }
    let workspace = Workspace::new();
    let map = "currency = \"USD\"\n[fields]\nname = \"N\"\nannual_revenue = { column = \"R\", scale = 1e6 }\n";
    let imported = import(
        &workspace,
        "account",
        map,
        "N,R\na,12.345678\nb,0.1234567891\n",
    );
    assert_eq!(imported.code, 3, "{}", imported.err);
    let revenue = held(&workspace, "account", "annual_revenue");
    assert_eq!(revenue[0].1["amount"], "12345678.00");
}
