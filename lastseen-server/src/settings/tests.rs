//! What the settings come out as, from each place they may be given in, and what is said of wrong ones.

use super::*;

/// Figment's jail: a directory and variables of its own, one test at a time.
#[expect(clippy::result_large_err, reason = "the jail's signature")]
fn in_jail(test: impl FnOnce(&mut figment::Jail)) {
    figment::Jail::expect_with(|jail| {
        jail.clear_env();
        test(jail);
        Ok(())
    });
}

fn load(flags: &SettingFlags) -> Result<(Settings, Origins), Failure> {
    Settings::load(None, flags)
}

fn message(flags: &SettingFlags) -> String {
    let failure = load(flags).unwrap_err();
    assert_eq!(failure.exit_code(), 2);
    failure.to_string()
}

fn window(window: &str) -> SettingFlags {
    SettingFlags { window: Some(window.into()), ..SettingFlags::default() }
}

#[test]
fn defaults_need_nothing() {
    in_jail(|_| {
        let (settings, origins) = load(&SettingFlags::default()).unwrap();
        assert_eq!(settings.listen.to_string(), "127.0.0.1:7700");
        assert_eq!(settings.store.to_string(), "sqlite:lastseen.db");
        assert_eq!(settings.window.to_string(), "15m");
        assert_eq!(settings.granularity.to_string(), "30s");
        assert_eq!(settings.flush_every.to_string(), "1s");
        assert_eq!(settings.horizon.to_string(), "1day");
        assert!(KEYS.iter().all(|key| origins.get(key).starts_with("default")));
    });
}

#[test]
fn defaults_follow_what_is_given() {
    in_jail(|_| {
        let (settings, _) = load(&window("6s")).unwrap();
        assert_eq!(settings.granularity.to_string(), "200ms");
        assert_eq!(settings.flush_every.to_string(), "200ms");
        let (settings, _) = load(&window("2days")).unwrap();
        assert_eq!(settings.horizon.to_string(), "2days");
        let demo = SettingFlags { demo: Some("40".into()), ..SettingFlags::default() };
        assert_eq!(load(&demo).unwrap().0.store, StoreUrl::Memory);
    });
}

#[test]
fn flags_over_variables_over_the_file_over_defaults() {
    in_jail(|jail| {
        jail.create_file(DEFAULT_FILE, "window = \"5m\"\nstore = \"memory:\"\ncapacity = 1000").unwrap();
        jail.set_env("LASTSEEN_WINDOW", "6m");
        jail.set_env("LASTSEEN_SKIP", r"^static/ [abc] \.png$");
        jail.set_env("LASTSEEN_PORT", "tcp://10.0.0.7:7700");

        let (settings, origins) = load(&SettingFlags::default()).unwrap();
        assert_eq!((settings.window.to_string().as_str(), origins.get("window")), ("6m", "LASTSEEN_WINDOW"));
        assert_eq!((settings.store, origins.get("store")), (StoreUrl::Memory, DEFAULT_FILE));
        assert_eq!((settings.capacity, origins.get("capacity")), (1000, DEFAULT_FILE));
        assert_eq!(settings.skip, ["^static/", "[abc]", r"\.png$"]);
        assert_eq!(origins.get("listen"), "default");

        let (settings, origins) = load(&window("7m")).unwrap();
        assert_eq!((settings.window.to_string().as_str(), origins.get("window")), ("7m", "--window"));
    });
}

#[test]
fn a_value_that_is_wrong_is_named_with_its_setting_and_origin() {
    in_jail(|jail| {
        assert_eq!(
            message(&window("15")),
            r#"window (--window): "15" is not a duration with its unit, such as 15m or 90s"#
        );
        jail.set_env("LASTSEEN_TRUST_PROXY", "10.0.0.0/8 10.0.0.0/40");
        let said = message(&SettingFlags::default());
        assert!(said.starts_with(r#"trust_proxy (LASTSEEN_TRUST_PROXY): "10.0.0.0/40" is not a network"#), "{said}");
        jail.clear_env();

        for (toml, named) in [
            ("listen = \"localhost\"", &["listen (lastseen.toml): \"localhost\"", "127.0.0.1:7700"][..]),
            ("window = 15", &["window (lastseen.toml): \"15\"", "15m"]),
            ("capacity = -1", &["capacity (lastseen.toml): \"-1\"", "whole number"]),
            ("capacity = 0", &["capacity = 0 (lastseen.toml)"]),
            ("flush_every = \"0s\"", &["flush_every = 0s (lastseen.toml)"]),
            ("store = \"mysql://x\"", &["store (lastseen.toml)", "mysql", "sqlite:PATH"]),
            ("skip = [\"(\"]", &["skip (lastseen.toml)", "`(`"]),
            ("trust_proxy = [\"10/8\"]", &["trust_proxy (lastseen.toml): \"10/8\"", "10.0.0.0/8"]),
            ("syslog = \"7701\"", &["syslog (lastseen.toml): \"7701\"", "127.0.0.1:7701"]),
            ("syslog_from = [\"10/8\"]", &["syslog_from (lastseen.toml): \"10/8\"", "10.0.0.0/8"]),
            ("user_header = \"a b\"", &["user_header (lastseen.toml): \"a b\""]),
            ("allow_host = [\"http://a\"]", &["allow_host (lastseen.toml): \"http://a\""]),
            ("windw = \"15m\"", &["\"windw\" in lastseen.toml is no setting", "granularity"]),
            ("window = [", &["lastseen.toml", "line 1"]),
        ] {
            jail.create_file(DEFAULT_FILE, toml).unwrap();
            let said = message(&SettingFlags::default());
            assert!(named.iter().all(|part| said.contains(part)), "{toml}: {said}");
        }
    });
}

#[test]
fn times_that_contradict_each_other_are_both_named() {
    in_jail(|jail| {
        jail.create_file(DEFAULT_FILE, "granularity = \"10m\"").unwrap();
        assert_eq!(
            message(&SettingFlags::default()),
            "granularity = 10m (lastseen.toml) is more than a third of window = 15m (default): \
             set granularity to 5m at most, or window to 30m at least"
        );
        jail.create_file(DEFAULT_FILE, "granularity = \"5m\"\nflush_every = \"6m\"").unwrap();
        let said = message(&SettingFlags::default());
        assert!(said.contains("flush_every = 6m") && said.contains("granularity = 5m"), "{said}");
        jail.create_file(DEFAULT_FILE, "horizon = \"5m\"").unwrap();
        let said = message(&SettingFlags::default());
        assert!(said.contains("window = 15m (default)") && said.contains("horizon = 5m (lastseen.toml)"), "{said}");
    });
}

#[test]
fn a_file_that_is_named_must_be_there() {
    in_jail(|_| {
        let failure = Settings::load(Some(Path::new("other.toml")), &SettingFlags::default()).unwrap_err();
        assert!(failure.to_string().contains("other.toml"), "{failure}");
    });
}

#[test]
fn what_is_printed_can_be_read_again() {
    in_jail(|jail| {
        jail.set_env("LASTSEEN_SKIP", r#"^static/ \.(png|css)$ ["']"#);
        jail.set_env("LASTSEEN_TRUST_PROXY", "10.0.0.0/8 fd00::/8");
        let (settings, _) = load(&window("90s")).unwrap();
        let lines: Vec<_> = settings.entries().iter().map(|(key, value)| format!("{key} = {value}")).collect();
        jail.clear_env();
        jail.create_file("printed.toml", &lines.join("\n")).unwrap();
        let (again, _) = Settings::load(Some(Path::new("printed.toml")), &SettingFlags::default()).unwrap();
        assert_eq!(again, settings);
    });
}
