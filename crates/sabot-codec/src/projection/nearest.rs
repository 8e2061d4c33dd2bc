//! Which names somebody may have meant.

/// Names that an error lists at most.
const MAX_LISTED: usize = 8;
/// Names that an error suggests at most.
const MAX_SUGGESTED: usize = 3;
/// Longer names are compared for equality alone: the distance takes the product of both lengths.
const MAX_COMPARED_CHARS: usize = 128;

/// What to say after "there is no such name": the names nearest to one of `wanted`, or else what
/// names there are. `print` makes a path's segment of a name.
pub(super) fn hint<'n>(
    wanted: &[String],
    names: impl Iterator<Item = &'n str>,
    print: impl Fn(&str) -> String,
) -> String {
    let names: Vec<&str> = names.collect();
    let ranked = names.iter().filter_map(|name| {
        let distance = wanted.iter().filter_map(|wanted| distance(wanted, name)).min();
        Some((distance?, *name))
    });
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    if !ranked.is_empty() {
        let near = ranked.iter().take(MAX_SUGGESTED);
        let near: Vec<_> = near.map(|(_, name)| print(name)).collect();
        return format!("did you mean {}?", near.join(" or "));
    }
    if names.is_empty() {
        return "there are none".to_owned();
    }
    let listed: Vec<_> = names.iter().take(MAX_LISTED).map(|name| print(name)).collect();
    let more = match names.len() - listed.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("there are {}{more}", listed.join(", "))
}

/// How far two names are apart: 0 where only case, `_` and `-`, or a namespace differ, else the
/// letters that one has to change, add, leave out, or swap with the next. `None` where that is more
/// than a third of them.
fn distance(wanted: &str, name: &str) -> Option<usize> {
    let short = name.rsplit('.').next().unwrap_or(name);
    if wanted == name || wanted == short {
        return Some(0);
    }
    let (wanted, name) = (letters(wanted), letters(name));
    let longest = wanted.len().max(name.len());
    if longest > MAX_COMPARED_CHARS {
        return (wanted == name).then_some(0);
    }
    let distance = edits(&wanted, &name);
    (distance <= longest / 3).then_some(distance)
}

fn letters(name: &str) -> Vec<char> {
    let is_letter = |letter: &char| !matches!(letter, '_' | '-' | ' ');
    name.chars()
        .flat_map(char::to_lowercase)
        .filter(is_letter)
        .collect()
}

/// The optimal string alignment distance, by rows of its table: row `i` holds the distances between
/// the first `i` letters of the one and each beginning of the other.
fn edits(left: &[char], right: &[char]) -> usize {
    let mut before = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (i, from) in left.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, to) in right.iter().enumerate() {
            let changed = above[j] + usize::from(from != to);
            let mut best = changed.min(above[j + 1] + 1).min(row[j] + 1);
            let is_swap = i > 0 && j > 0 && *from == right[j - 1] && left[i - 1] == *to;
            if is_swap {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_near_or_not() {
        for (wanted, name, expected) in [
            ("id", "id", Some(0)),
            ("ID", "id", Some(0)),
            ("customerName", "customer_name", Some(0)),
            ("P", "a.b.P", Some(0)),
            ("prcie", "price", Some(1)),
            ("prize", "price", Some(1)),
            ("pric", "price", Some(1)),
            ("amnt", "amount", Some(2)),
            ("ab", "ba", None),
            ("id", "at", None),
            ("name", "price", None),
            ("", "a", None),
        ] {
            assert_eq!(distance(wanted, name), expected, "{wanted} {name}");
        }
    }

    #[test]
    fn hints() {
        let names = ["id", "price", "prize", "note", "e", "f", "g", "h", "i", "j"];
        for (wanted, count, expected) in [
            ("prie", 4, "did you mean price or prize?"),
            ("Note", 4, "did you mean note?"),
            ("zzzzzz", 4, "there are id, price, prize, note"),
            (
                "zzzzzz",
                10,
                "there are id, price, prize, note, e, f, g, h and 2 more",
            ),
            ("x", 0, "there are none"),
        ] {
            let names = names.iter().take(count).copied();
            assert_eq!(
                hint(&[wanted.to_owned()], names, str::to_owned),
                expected,
                "{wanted}"
            );
        }
    }
}
