use super::*;

#[test]
fn urls_as_people_write_them() {
    for (written, read, odd) in [
        ("http://h:32400", "http://h:32400", false),
        (" http://h:32400/ \r\n", "http://h:32400/", false),
        ("\"http://h:32400\"", "http://h:32400", true),
        ("'http://h:32400'", "http://h:32400", true),
        (" \" http://h \" ", "http://h", true),
        ("\u{feff}http://h", "http://h", true),
        ("http://h\u{200b}", "http://h", true),
        ("\u{a0}http://h\u{a0}", "http://h", false),
        ("http://h:32400/web", "http://h:32400", true),
        ("http://h:32400/web/", "http://h:32400", true),
        ("http://h:32400/web/index.html#!/settings", "http://h:32400", true),
        ("http://h:32400/web#!/x", "http://h:32400", true),
        ("https://h/plex/web/index.html", "https://h/plex", true),
        ("http://web:32400", "http://web:32400", false),
        ("http://web/web", "http://web", true),
        ("http://h/website", "http://h/website", false),
        ("http:///web", "http:///web", false),
        ("http://h/webdav/web", "http://h/webdav", true),
        ("\"http://h", "\"http://h", false),
        ("h:32400", "h:32400", false),
        ("", "", false),
    ] {
        let (text, found) = url(written);
        assert_eq!(text, read, "{written:?}");
        assert_eq!(found.is_some(), odd, "{written:?}");
    }
}

#[test]
fn tokens_as_people_write_them() {
    for (written, odd) in [
        ("xyz-ABC_1.2~3", false),
        (" xyz-ABC_1.2~3\n", false),
        ("\"xyz-ABC_1.2~3\"", true),
        ("'xyz-ABC_1.2~3'", true),
        ("\u{feff}xyz-ABC_1.2~3", true),
        ("xyz-ABC\u{200b}_1.2~3", true),
        ("\u{a0}xyz-ABC_1.2~3", false),
    ] {
        let (token, found) = token(written).unwrap();
        assert_eq!(token.expose(), "xyz-ABC_1.2~3", "{written:?}");
        assert_eq!(found.is_some(), odd, "{written:?}");
    }
    for (written, told) in
        [("", "is empty"), ("\"\"", "is empty"), ("\"X-Plex-Token=a\"", "a name")]
    {
        assert!(token(written).unwrap_err().0.contains(told), "{written}");
    }
}
