//! `stepwright explain`.

use crate::environment::Environment;

#[test]
fn pages() {
    let environment = Environment::new();
    let page = environment.run(&["explain", "SW0403"]);
    assert!(page.out.starts_with("# SW0403: "), "{}", page.out);
    assert_eq!((page.error.as_str(), page.status), ("", 0));
    for other in ["sw0403", "0403"] {
        assert_eq!(environment.run(&["explain", other]), page, "{other}");
    }
    // AWS has one code for many of ours.
    let several = environment.run(&["explain", "SCHEMA_VALIDATION_FAILED"]);
    assert!(several.out.lines().count() > 5, "{}", several.out);
    assert!(several.out.lines().all(|line| line.starts_with("SW0")), "{}", several.out);
    let all = environment.run(&["explain"]);
    assert!(all.out.lines().count() > several.out.lines().count());
    let unknown = environment.run(&["explain", "SW9999"]);
    assert_eq!(
        unknown.error,
        "error: there is no code or error name \"SW9999\"; `stepwright explain` lists all codes\n"
    );
    assert_eq!((unknown.out.as_str(), unknown.status), ("", 2));
    let near = environment.run(&["explain", "States.Timout"]);
    assert!(near.error.contains("; did you mean \"States.Timeout\"?;"), "{}", near.error);
    for name in ["States.Timeout", "states.timeout", "Timeout"] {
        let page = environment.run(&["explain", name]);
        assert!(page.out.starts_with("# States.Timeout\n"), "{}", page.out);
    }
}
