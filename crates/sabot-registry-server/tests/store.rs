//! The registry's rules, without HTTP.
#![expect(clippy::unwrap_used, reason = "a failed test has nothing left to do")]

use sabot_registry_server::{Config, Filter, Store, StoreError};
use sabot_schema::{
    CompatibilityLevel, Context, Metadata, Mode, Reference, Rule, RuleMode, RuleSet, Schema, SchemaId,
    SchemaKind, Subject, Version, VersionSpec,
};

fn subject(text: &str) -> Subject {
    Subject::from(text)
}

fn version(number: u32) -> Version {
    Version::new(number).unwrap()
}

fn exact(number: u32) -> VersionSpec {
    version(number).into()
}

/// A record with so many optional fields: each is compatible with each, both ways.
fn record(fields: u32) -> Schema {
    let fields: Vec<String> = (0..fields)
        .map(|at| format!(r#"{{"name":"f{at}","type":["null","int"],"default":null}}"#))
        .collect();
    Schema::avro(format!(
        r#"{{"type":"record","name":"R","fields":[{}]}}"#,
        fields.join(",")
    ))
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> u32 {
    result.unwrap_err().code()
}

/// Registers and gives (id, version).
fn register(store: &mut Store, to: &str, schema: Schema) -> (u32, u32) {
    let registered = store.register(&subject(to), schema, false).unwrap();
    (registered.id.0, registered.version.get())
}

fn set_level(store: &mut Store, level: CompatibilityLevel) {
    store
        .set_config(
            None,
            Config {
                level: Some(level),
                normalize: None,
            },
        )
        .unwrap();
}

#[test]
fn ids_belong_to_schemas_and_versions_to_subjects() {
    let mut store = Store::new();
    for (to, fields, expected) in [
        ("a", 1, (1, 1)),
        ("a", 1, (1, 1)),
        ("a", 2, (2, 2)),
        ("b", 2, (2, 1)),
        ("b", 1, (1, 2)),
        ("b", 3, (3, 3)),
        ("a", 1, (1, 1)),
        // Another context counts for itself.
        (":.x:a", 3, (1, 1)),
        (":.x:a", 1, (2, 2)),
    ] {
        assert_eq!(
            register(&mut store, to, record(fields)),
            expected,
            "{to} {fields}"
        );
    }
    let found = store.lookup(&subject("b"), record(1), false, false).unwrap();
    assert_eq!((found.id, found.version), (SchemaId(1), version(2)));
    assert_eq!(code(store.lookup(&subject("a"), record(3), false, false)), 40403);
    assert_eq!(code(store.lookup(&subject("c"), record(3), false, false)), 40401);
    assert_eq!(store.contexts(), [Context::default(), Context::new("x").unwrap()]);
}

#[test]
fn schemas_are_found_by_every_key() {
    let mut store = Store::new();
    register(&mut store, "a", record(1));
    register(&mut store, ":.x:b", record(2));
    register(&mut store, ":.x:b", record(1));
    let one = store.by_id(&subject(""), SchemaId(1)).unwrap();
    assert_eq!(one.schema, record(1));
    assert_eq!(one.guid, one.schema.guid());
    assert_eq!(
        store.by_id(&subject(":.x:"), SchemaId(1)).unwrap().schema,
        record(2)
    );
    // A subject that only another context has leads there.
    assert_eq!(store.by_id(&subject("b"), SchemaId(1)).unwrap().schema, record(2));
    assert_eq!(code(store.by_id(&subject(""), SchemaId(2))), 40403);
    let ids: Vec<(String, u32)> = store
        .ids_of(one.guid)
        .into_iter()
        .map(|(context, id)| (context.to_string(), id.0))
        .collect();
    assert_eq!(ids, [(".".to_owned(), 1), (".x".to_owned(), 2)]);
    assert_eq!(store.by_guid(record(2).guid()).unwrap().schema, record(2));
    assert_eq!(code(store.by_guid(record(9).guid())), 40403);
    assert_eq!(
        store
            .version(&subject(":.x:b"), VersionSpec::Latest, false)
            .unwrap()
            .version,
        version(2)
    );
    assert_eq!(code(store.version(&subject("a"), exact(2), false)), 40402);
    assert_eq!(code(store.version(&subject("z"), exact(1), false)), 40401);
    assert_eq!(
        store
            .versions_of_id(&subject(":.x:"), SchemaId(2), false)
            .unwrap()
            .len(),
        1
    );
    assert_eq!(store.schemas(":*:", Filter::Live, false).len(), 3);
    assert_eq!(store.schemas(":*:", Filter::Live, true).len(), 2);
    assert_eq!(store.schemas("", Filter::Live, false).len(), 1);
    let subjects = |prefix: &str| -> Vec<String> {
        store
            .subjects(prefix, Filter::Live)
            .iter()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(subjects(":*:"), ["a", ":.x:b"]);
    assert_eq!(subjects(":.x:"), [":.x:b"]);
    assert_eq!(subjects(":*:b"), [":.x:b"]);
    assert!(subjects("b").is_empty());
}

#[test]
fn deletion_is_soft_before_it_is_hard() {
    let mut store = Store::new();
    let a = subject("a");
    for fields in 1..=3 {
        register(&mut store, "a", record(fields));
    }
    assert_eq!(code(store.delete_version(&a, exact(2), true)), 40407);
    assert_eq!(store.delete_version(&a, exact(2), false), Ok(version(2)));
    assert_eq!(code(store.delete_version(&a, exact(2), false)), 40406);
    assert_eq!(code(store.version(&a, exact(2), false)), 40402);
    assert!(store.version(&a, exact(2), true).unwrap().deleted);
    assert_eq!(
        store.versions(&a, Filter::Live).unwrap(),
        [version(1), version(3)]
    );
    assert_eq!(store.versions(&a, Filter::Deleted).unwrap(), [version(2)]);
    assert_eq!(store.versions(&a, Filter::All).unwrap().len(), 3);
    // A soft-deleted schema can still be read by its id.
    assert_eq!(store.by_id(&subject(""), SchemaId(2)).unwrap().schema, record(2));
    // Registered again it keeps its id, gets a new version, and the old one is forgotten.
    assert_eq!(register(&mut store, "a", record(2)), (2, 4));
    assert_eq!(
        store.versions(&a, Filter::All).unwrap(),
        [version(1), version(3), version(4)]
    );
    assert_eq!(
        store.delete_version(&a, VersionSpec::Latest, false),
        Ok(version(4))
    );
    assert_eq!(code(store.delete_subject(&a, true)), 40405);
    assert_eq!(store.delete_subject(&a, false), Ok(vec![version(1), version(3)]));
    assert_eq!(code(store.delete_subject(&a, false)), 40404);
    assert!(store.subjects(":*:", Filter::Live).is_empty());
    assert_eq!(store.subjects(":*:", Filter::Deleted), std::slice::from_ref(&a));
    assert_eq!(code(store.versions(&a, Filter::Live)), 40401);
    assert_eq!(
        store.delete_subject(&a, true),
        Ok(vec![version(1), version(3), version(4)])
    );
    assert_eq!(code(store.delete_subject(&a, true)), 40401);
    assert_eq!(code(store.by_id(&subject(""), SchemaId(2))), 40403);
    // Ids are never given out twice; versions start anew.
    assert_eq!(register(&mut store, "a", record(2)), (4, 1));
}

#[test]
fn references_are_resolved_pinned_and_protected() {
    let mut store = Store::new();
    let country = |symbols: &str| {
        Schema::avro(format!(
            r#"{{"type":"enum","name":"geo.C","symbols":[{symbols}],"default":"CH"}}"#
        ))
    };
    let user = || Schema::avro(r#"{"type":"record","name":"U","fields":[{"name":"born","type":"geo.C"}]}"#);
    let to = |version: VersionSpec| [Reference::new("geo.C", "country", version)];
    assert_eq!(code(store.register(&subject("user"), user(), false)), 42201);
    assert_eq!(
        code(store.register(&subject("user"), user().with_references(to(exact(1))), false)),
        42201
    );
    register(&mut store, "country", country(r#""CH""#));
    register(&mut store, "country", country(r#""CH","IT""#));
    let registered = store
        .register(
            &subject("user"),
            user().with_references(to(VersionSpec::Latest)),
            false,
        )
        .unwrap();
    assert_eq!(registered.schema.references, to(exact(2)));
    assert_eq!(registered.schema.text, user().text);
    assert_eq!(
        store.referenced_by(&subject("country"), exact(2), false),
        Ok(vec![registered.id])
    );
    assert_eq!(
        store.referenced_by(&subject("country"), exact(1), false),
        Ok(vec![])
    );
    assert_eq!(
        code(store.delete_version(&subject("country"), exact(2), false)),
        42206
    );
    assert_eq!(code(store.delete_subject(&subject("country"), false)), 42206);
    store
        .delete_version(&subject("country"), exact(1), false)
        .unwrap();
    // Once the user is soft-deleted the country can be too, but not be forgotten.
    store.delete_subject(&subject("user"), false).unwrap();
    store.delete_subject(&subject("country"), false).unwrap();
    assert_eq!(code(store.delete_subject(&subject("country"), true)), 42206);
    assert_eq!(
        store.referenced_by(&subject("country"), exact(2), true),
        Ok(vec![registered.id])
    );
    store.delete_subject(&subject("user"), true).unwrap();
    store.delete_subject(&subject("country"), true).unwrap();
}

#[test]
fn references_lie_in_the_context_of_their_schema() {
    let mut store = Store::new();
    register(
        &mut store,
        ":.x:f",
        Schema::avro(r#"{"type":"fixed","name":"F","size":1}"#),
    );
    register(
        &mut store,
        ":.x:g",
        Schema::avro(r#"{"type":"array","items":"F"}"#).with_references([Reference::new(
            "F",
            "f",
            Version::FIRST,
        )]),
    );
    // Transitively, and from another context by a qualified name.
    let through = Schema::avro(r#"{"type":"map","values":"F"}"#);
    let references = [Reference::new("g", ":.x:g", Version::FIRST)];
    register(&mut store, "h", through.clone().with_references(references));
    let unqualified = [Reference::new("g", "g", Version::FIRST)];
    assert_eq!(
        code(store.register(&subject("h"), through.with_references(unqualified), false)),
        42201
    );
    assert_eq!(code(store.delete_subject(&subject(":.x:f"), false)), 42206);
}

#[test]
fn compatibility_levels_look_the_right_way() {
    let base = Schema::avro(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#);
    let with_required = Schema::avro(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}"#,
    );
    let without = Schema::avro(r#"{"type":"record","name":"R","fields":[]}"#);
    let with_optional = Schema::avro(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}"#,
    );
    let other = Schema::avro(r#""int""#);
    use CompatibilityLevel::{
        Backward, BackwardTransitive, Forward, ForwardTransitive, Full, FullTransitive,
    };
    for (level, new, passes) in [
        (CompatibilityLevel::None, &other, true),
        (Backward, &with_required, false),
        (Backward, &without, true),
        (Backward, &with_optional, true),
        (Forward, &with_required, true),
        (Forward, &without, false),
        (Full, &with_required, false),
        (Full, &without, false),
        (Full, &with_optional, true),
        (FullTransitive, &with_optional, true),
        (BackwardTransitive, &other, false),
        (ForwardTransitive, &other, false),
    ] {
        let mut store = Store::new();
        register(&mut store, "a", base.clone());
        set_level(&mut store, level);
        let messages = store
            .test_compatibility(&subject("a"), new.clone(), None, false)
            .unwrap();
        assert_eq!(messages.is_empty(), passes, "{level} {new:?} {messages:?}");
        let result = store.register(&subject("a"), new.clone(), false);
        assert_eq!(
            result.as_ref().map_err(StoreError::status).err(),
            (!passes).then_some(409),
            "{level} {new:?}"
        );
        if !passes {
            assert!(
                messages.iter().any(|message| *message == "{oldSchemaVersion: 1}"),
                "{messages:?}"
            );
        }
    }
}

#[test]
fn transitive_levels_look_further_back() {
    let int = |default: &str| {
        Schema::avro(format!(
            r#"{{"type":"record","name":"R","fields":[{{"name":"a","type":"int"{default}}}]}}"#
        ))
    };
    let empty = Schema::avro(r#"{"type":"record","name":"R","fields":[]}"#);
    for (level, passes) in [
        (CompatibilityLevel::Backward, true),
        (CompatibilityLevel::BackwardTransitive, false),
    ] {
        let mut store = Store::new();
        register(&mut store, "a", empty.clone());
        register(&mut store, "a", int(r#","default":0"#));
        set_level(&mut store, level);
        let result = store
            .test_compatibility(&subject("a"), int(""), None, false)
            .unwrap();
        assert_eq!(result.is_empty(), passes, "{level} {result:?}");
        // Held against one version, the others do not matter.
        let against = |number| store.test_compatibility(&subject("a"), int(""), Some(exact(number)), false);
        assert!(!against(1).unwrap().is_empty());
        assert!(against(2).unwrap().is_empty());
        assert_eq!(code(against(3)), 40402);
    }
}

#[test]
fn what_cannot_be_checked_is_not_called_compatible() {
    for (kind, one, other) in [
        (
            SchemaKind::Json,
            r#"{ "type": "object" }"#,
            r#"{"type":"string"}"#,
        ),
        (
            SchemaKind::Protobuf,
            "syntax = \"proto3\"; message A {}",
            "syntax = \"proto3\"; message B {}",
        ),
    ] {
        let mut store = Store::new();
        assert_eq!(register(&mut store, "a", Schema::new(kind, one)), (1, 1));
        assert_eq!(register(&mut store, "a", Schema::new(kind, one)), (1, 1));
        assert!(
            store
                .test_compatibility(&subject("a"), Schema::new(kind, one), None, false)
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            code(store.test_compatibility(&subject("a"), Schema::new(kind, other), None, false)),
            42205
        );
        assert_eq!(
            code(store.register(&subject("a"), Schema::new(kind, other), false)),
            42205
        );
        assert_eq!(
            store
                .register(&subject("a"), Schema::avro("\"int\""), false)
                .unwrap_err()
                .status(),
            409
        );
        set_level(&mut store, CompatibilityLevel::None);
        assert_eq!(register(&mut store, "a", Schema::new(kind, other)), (2, 2));
    }
}

#[test]
fn malformed_input_has_its_code() {
    let rules = |rule: Rule| {
        Schema::avro("\"int\"").with_rule_set(RuleSet {
            domain_rules: vec![rule],
            ..RuleSet::default()
        })
    };
    let cel = || Rule {
        rule_type: Some("CEL".into()),
        ..Rule::named("r")
    };
    for (to, schema, expected) in [
        ("a", Schema::avro(""), 42201),
        ("a", Schema::avro("{}"), 42201),
        ("a", Schema::new(SchemaKind::Json, "{"), 42201),
        ("a", Schema::new(SchemaKind::Json, "1"), 42201),
        ("a", Schema::new(SchemaKind::Protobuf, " "), 42201),
        ("a", Schema::new(SchemaKind::Plain, "x"), 42201),
        ("__GLOBAL", Schema::avro("\"int\""), 42208),
        (":.__GLOBAL:a", Schema::avro("\"int\""), 42208),
        ("a\u{7}", Schema::avro("\"int\""), 42208),
        ("a", rules(Rule::named("r")), 42210),
        (
            "a",
            rules(Rule {
                name: "1".into(),
                ..cel()
            }),
            42210,
        ),
        (
            "a",
            rules(Rule {
                mode: RuleMode::Upgrade,
                ..cel()
            }),
            42210,
        ),
    ] {
        assert_eq!(
            code(Store::new().register(&subject(to), schema.clone(), false)),
            expected,
            "{to} {schema:?}"
        );
    }
    assert!(Store::new().register(&subject("a"), rules(cel()), false).is_ok());
}

#[test]
fn metadata_and_rules_are_part_of_a_schema_and_inherited() {
    let mut store = Store::new();
    let metadata = |owner: &str| Metadata {
        properties: [("owner".to_owned(), owner.to_owned())].into(),
        ..Metadata::default()
    };
    assert_eq!(register(&mut store, "a", record(1)), (1, 1));
    assert_eq!(
        register(&mut store, "a", record(1).with_metadata(metadata("x"))),
        (2, 2)
    );
    // Without metadata of its own it means the newest one's.
    assert_eq!(register(&mut store, "a", record(1)), (2, 2));
    assert_eq!(register(&mut store, "a", record(2)), (3, 3));
    assert_eq!(
        store
            .version(&subject("a"), exact(3), false)
            .unwrap()
            .schema
            .metadata,
        Some(metadata("x"))
    );
    assert_eq!(
        store
            .lookup(&subject("a"), record(2), false, false)
            .unwrap()
            .version,
        version(3)
    );
    let latest = |value| store.latest_with_metadata(&subject("a"), &[("owner", value)], false);
    assert_eq!(latest("x").unwrap().version, version(3));
    assert_eq!(code(latest("y")), 40403);
}

#[test]
fn normalisation_can_be_asked_for_or_configured() {
    let spelt = |props: &str| Schema::avro(format!(r#"{{"type":"int",{props}}}"#));
    let mut store = Store::new();
    let a = subject("a");
    assert_eq!(register(&mut store, "a", spelt(r#""x":1,"y":2"#)), (1, 1));
    assert_eq!(register(&mut store, "a", spelt(r#""y":2,"x":1"#)), (2, 2));
    assert_eq!(
        store.register(&a, spelt(r#""y":2,"x":1"#), true).unwrap().version,
        version(1)
    );
    store
        .set_config(
            Some(&a),
            Config {
                normalize: Some(true),
                level: None,
            },
        )
        .unwrap();
    assert_eq!(register(&mut store, "a", spelt(r#""y":2,"x":1"#)), (1, 1));
}

#[test]
fn settings_hold_for_what_is_below_them() {
    let mut store = Store::new();
    let places = [
        None,
        Some(subject(":.x:")),
        Some(subject(":.x:a")),
        Some(subject("a")),
        Some(subject(":.__GLOBAL:")),
    ];
    let level = |store: &Store, of: &str| store.config_in_scope(&subject(of)).level.unwrap();
    assert_eq!(
        store.config(None).unwrap().level,
        Some(CompatibilityLevel::Backward)
    );
    assert_eq!(code(store.config(places[3].as_ref())), 40408);
    assert_eq!(code(store.delete_config(places[3].as_ref())), 40401);
    let mut set = |place: &Option<Subject>, level| {
        store
            .set_config(
                place.as_ref(),
                Config {
                    level: Some(level),
                    normalize: None,
                },
            )
            .unwrap();
    };
    set(&places[4], CompatibilityLevel::Full);
    set(&places[1], CompatibilityLevel::Forward);
    set(&places[2], CompatibilityLevel::None);
    for (of, expected) in [
        (":.x:a", CompatibilityLevel::None),
        (":.x:b", CompatibilityLevel::Forward),
        (":.y:a", CompatibilityLevel::Full),
        ("a", CompatibilityLevel::Full),
    ] {
        assert_eq!(level(&store, of), expected, "{of}");
    }
    set_level(&mut store, CompatibilityLevel::FullTransitive);
    assert_eq!(level(&store, "a"), CompatibilityLevel::FullTransitive);
    assert_eq!(level(&store, ":.y:a"), CompatibilityLevel::Full);
    assert_eq!(
        store.delete_config(None).unwrap().level,
        Some(CompatibilityLevel::FullTransitive)
    );
    assert_eq!(level(&store, "a"), CompatibilityLevel::Full);
    assert_eq!(
        code(store.set_config(Some(&subject("__EMPTY")), Config::default())),
        42208
    );
}

#[test]
fn modes_say_what_may_be_done() {
    let mut store = Store::new();
    let a = subject("a");
    register(&mut store, "a", record(1));
    assert_eq!(code(store.mode(Some(&a))), 40409);
    assert_eq!(store.mode_in_scope(&a), Mode::ReadWrite);
    store.set_mode(Some(&a), Mode::ReadOnly, false).unwrap();
    assert_eq!(code(store.register(&a, record(2), false)), 42205);
    assert_eq!(code(store.delete_subject(&a, false)), 42205);
    assert_eq!(code(store.delete_version(&a, exact(1), false)), 42205);
    assert!(store.version(&a, exact(1), false).is_ok());
    assert_eq!(store.delete_mode(Some(&a)), Ok(Mode::ReadOnly));
    assert_eq!(code(store.delete_mode(Some(&a))), 40401);
    assert_eq!(code(store.set_mode(Some(&a), Mode::Forward, false)), 42204);
    assert_eq!(code(store.set_mode(Some(&a), Mode::Import, false)), 42205);
    assert_eq!(code(store.set_mode(None, Mode::Import, false)), 42205);
    assert_eq!(code(store.import(&a, record(2), SchemaId(7), None)), 42205);
    store.set_mode(Some(&a), Mode::Import, true).unwrap();
    assert_eq!(code(store.register(&a, record(2), false)), 42205);
    let imported = store
        .import(&a, record(2), SchemaId(7), Some(version(5)))
        .unwrap();
    assert_eq!((imported.id, imported.version), (SchemaId(7), version(5)));
    assert_eq!(code(store.import(&a, record(3), SchemaId(7), None)), 42205);
    assert_eq!(
        code(store.import(&a, record(3), SchemaId(8), Some(version(5)))),
        42205
    );
    assert_eq!(code(store.import(&a, record(2), SchemaId(8), None)), 42207);
    // The next id of its own is above.
    assert_eq!(register(&mut store, "b", record(4)), (8, 1));
}

/// The store gives out Java's ints, and stays usable at their end.
#[test]
fn numbers_run_out_without_a_panic() {
    let mut store = Store::new();
    let a = subject("a");
    store.set_mode(Some(&a), Mode::Import, false).unwrap();
    store
        .import(&a, record(1), SchemaId(u32::MAX), Some(Version::MAX))
        .unwrap_err();
    store
        .import(&a, record(1), SchemaId(Version::MAX.get()), Some(Version::MAX))
        .unwrap();
    assert_eq!(code(store.import(&a, record(2), SchemaId(5), None)), 42205);
    assert_eq!(code(store.register(&subject("b"), record(3), false)), 42205);
    assert_eq!(register(&mut store, "b", record(1)), (2_147_483_647, 1));
}
