//! The zone that columns of instants are declared in.
//!
//! A zone is checked by its form, without a table of all zones: a name begins with one of the areas
//! of the IANA database, or is one of its few names without an area. Both lists are closed, since
//! the database makes new zones within areas alone, and makes some every few years. So a mistyped
//! city is not found here.

use std::sync::Arc;

use crate::PlanError;

/// The zone that columns of instants are declared in. It changes no value: an instant is counted
/// from the epoch in UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TimeZone {
    /// `UTC`.
    #[default]
    Utc,
    /// No zone, which Arrow takes for local times; for tools that cannot read zones.
    None,
    /// Another one, by its name in the IANA database or as an offset such as `+02:00`.
    Named(Arc<str>),
}

impl TimeZone {
    /// The zone as Arrow's type holds it.
    #[must_use]
    pub fn name(&self) -> Option<Arc<str>> {
        match self {
            Self::Utc => Some("UTC".into()),
            Self::None => None,
            Self::Named(name) => Some(Arc::clone(name)),
        }
    }

    /// Whether the name could be that of a zone.
    ///
    /// ```
    /// use sabot_decode::TimeZone;
    ///
    /// assert!(TimeZone::Named("Europe/Berlin".into()).check().is_ok());
    /// assert!(TimeZone::Named("Berlin".into()).check().is_err());
    /// ```
    ///
    /// # Errors
    ///
    /// [`PlanError`] if it is neither an offset nor of the form of a name in the IANA database.
    pub fn check(&self) -> Result<(), PlanError> {
        match self {
            Self::Named(name) if !is_offset(name) && !is_zone(name) => Err(PlanError::new(format!(
                "the option `time_zone` is {name:?}, which is neither a name of the IANA database, such as Europe/Berlin, \
                 nor an offset, such as +02:00"
            ))),
            _ => Ok(()),
        }
    }
}

/// Whether it is `+hh:mm`, `+hhmm` or `+hh`, or the same with a minus: what arrow-rs reads.
fn is_offset(text: &str) -> bool {
    let Some(text) = text.strip_prefix(['+', '-']) else {
        return false;
    };
    let (hours, minutes) = match text.len() {
        2 => (text, "00"),
        4 if text.is_ascii() => text.split_at(2),
        _ => text.split_once(':').unwrap_or_default(),
    };
    let below = |digits: &str, end: u8| {
        let are_digits = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
        are_digits && digits.parse::<u8>().is_ok_and(|number| number < end)
    };
    below(hours, 24) && below(minutes, 60)
}

/// Whether it has the form of a name in the IANA database.
fn is_zone(name: &str) -> bool {
    let Some((area, places)) = name.split_once('/') else {
        return WITHOUT_AREA.contains(&name);
    };
    let is_place = |place: &str| {
        let has_letter = place.starts_with(|first: char| first.is_ascii_alphabetic());
        has_letter
            && place
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte))
    };
    AREAS.contains(&area) && places.split('/').all(is_place)
}

const AREAS: [&str; 16] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
];

const WITHOUT_AREA: [&str; 44] = [
    "CET",
    "CST6CDT",
    "Cuba",
    "EET",
    "EST",
    "EST5EDT",
    "Egypt",
    "Eire",
    "GB",
    "GB-Eire",
    "GMT",
    "GMT+0",
    "GMT-0",
    "GMT0",
    "Greenwich",
    "HST",
    "Hongkong",
    "Iceland",
    "Iran",
    "Israel",
    "Jamaica",
    "Japan",
    "Kwajalein",
    "Libya",
    "MET",
    "MST",
    "MST7MDT",
    "NZ",
    "NZ-CHAT",
    "Navajo",
    "PRC",
    "PST8PDT",
    "Poland",
    "Portugal",
    "ROC",
    "ROK",
    "Singapore",
    "Turkey",
    "UCT",
    "UTC",
    "Universal",
    "W-SU",
    "WET",
    "Zulu",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_and_what_is_none() {
        let zones = [
            "UTC",
            "Zulu",
            "CET",
            "EST5EDT",
            "GMT+0",
            "W-SU",
            "Europe/Berlin",
            "Etc/GMT+5",
            "America/Port-au-Prince",
            "America/Argentina/Buenos_Aires",
            "America/North_Dakota/New_Salem",
            "Antarctica/DumontDUrville",
            "US/Eastern",
            "+00:00",
            "+02:00",
            "-23:59",
            "+0530",
            "-08",
        ];
        for name in zones {
            assert!(TimeZone::Named(name.into()).check().is_ok(), "{name}");
        }
        let others = [
            "",
            " ",
            "utf8",
            "none",
            "utc",
            "Berlin",
            "CEST",
            "europe/berlin",
            "Europe",
            "Europe/",
            "Europe/ Berlin",
            "Europe//Berlin",
            "Europe/Berlin/",
            "Europe/1",
            "Europe\\Berlin",
            "Mars/Phobos",
            "+",
            "+2",
            "+2:00",
            "02:00",
            "+24:00",
            "+01:60",
            "+02:0",
            "+02:00:00",
            "+é:00",
            "++1:00",
            "+aé",
        ];
        for name in others {
            let error = TimeZone::Named(name.into()).check().expect_err(name).to_string();
            assert!(error.contains("`time_zone`"), "{error}");
        }
        assert!(TimeZone::Utc.check().is_ok() && TimeZone::None.check().is_ok());
    }
}
