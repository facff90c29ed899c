//! Which side a picture shows, from its file name.

use bozzetto_asset::Direction;

/// A place of the turntable this near a known direction is taken, degrees of azimuth.
const LEAST_APART_DEG: f32 = 20.0;

/// Words for each side. Short forms count only where they stand alone (`tiger_f.png`); every language's word here
/// means one side only.
const WORDS: [(Direction, &[&str]); 6] = [
    (
        Direction::Front,
        &[
            "front",
            "frontal",
            "f",
            "fr",
            "vorne",
            "vorn",
            "vorderseite",
            "avant",
            "devant",
            "frente",
            "frontale",
            "davanti",
            "voorkant",
            "pered",
            "前",
            "正面",
        ],
    ),
    (
        Direction::Back,
        &[
            "back",
            "rear",
            "behind",
            "b",
            "bk",
            "hinten",
            "rückseite",
            "rueckseite",
            "arriere",
            "arrière",
            "derriere",
            "derrière",
            "atras",
            "atrás",
            "trasera",
            "espalda",
            "dietro",
            "achterkant",
            "zad",
            "後",
            "后",
            "背面",
        ],
    ),
    (
        Direction::Left,
        &[
            "left",
            "l",
            "lt",
            "links",
            "gauche",
            "izquierda",
            "izq",
            "esquerda",
            "sinistra",
            "sx",
            "lewo",
            "左",
            "左面",
        ],
    ),
    (
        Direction::Right,
        &[
            "right", "r", "rt", "rechts", "droite", "derecha", "direita", "destra", "dx", "prawo", "右", "右面",
        ],
    ),
    (
        Direction::Top,
        &[
            "top",
            "above",
            "t",
            "oben",
            "draufsicht",
            "dessus",
            "arriba",
            "cima",
            "sopra",
            "bovenkant",
            "上",
            "上面",
            "顶",
        ],
    ),
    (
        Direction::Bottom,
        &[
            "bottom",
            "below",
            "underside",
            "unten",
            "unterseite",
            "dessous",
            "abajo",
            "baixo",
            "sotto",
            "basso",
            "onderkant",
            "下",
            "下面",
            "底",
        ],
    ),
];

/// Directions that file names suggest, one for each name; `None` where a name says nothing.
///
/// Folders, endings, capitals and whatever all names share do not count; words may be parted by `_`, `-`, spaces, dots,
/// digits or capitals (`tigerFrontView`). In this order:
///
/// 1. Words: front, back, left, right, top, bottom, their short forms (f, b, l, r, t) and common words of other
///    languages. Two of them give the direction between (`front_left`: azimuth 45; `top_back`: azimuth 180, elevation
///    45). Left is the object's own left. A lone `side` is its left, unless another name says left; then its right.
/// 2. `azNN` and `elNN` (also `azimuth`, `elevation`, `yaw`, `pitch`), degrees, as in `owl_az045_el10`.
/// 3. Numbers, when at least two names have one, they are all different, and they are the only thing that differs.
///    When all are below 360, at least one is over 23, and they are multiples of 5 that start at 0, they are azimuths
///    in degrees (`owl_000`, `owl_045`, `owl_090`). Otherwise, with three and more, they give an order, and the
///    proposal is an even turntable in that order: 0, 360/N, 2 * 360/N ..
///
/// Azimuths grow from the front towards the object's left (+X), see [`bozzetto_asset::Camera::orbit`].
pub fn propose_directions(names: &[String]) -> Vec<Option<Direction>> {
    let names: Vec<Vec<Token>> = names.iter().map(|name| tokens(name)).collect();
    let mut proposals: Vec<Option<Direction>> = names
        .iter()
        .map(|name| angles_in(name).or_else(|| words_in(name, &names)))
        .collect();
    propose_sides(&names, &mut proposals);
    if proposals.iter().all(Option::is_none)
        && let Some(azimuths) = azimuths_by_number(&names)
    {
        for (proposal, azimuth_deg) in proposals.iter_mut().zip(azimuths) {
            *proposal = Some(named(azimuth_deg, 0.0));
        }
    }
    proposals
}

/// `count` level views evenly spaced about the object, starting at the front and turning towards its left (+X).
pub fn turntable(count: usize) -> Vec<Direction> {
    (0..count)
        .map(|index| named(index as f32 * 360.0 / count as f32, 0.0))
        .collect()
}

/// The direction of each view, from its name and the direction that was given: as given, else as its name suggests,
/// else a free place of a turntable.
pub fn resolve_directions(views: &[(String, Option<Direction>)]) -> Vec<Direction> {
    let names: Vec<String> = views.iter().map(|(name, _)| name.clone()).collect();
    let known: Vec<Option<Direction>> = views
        .iter()
        .zip(propose_directions(&names))
        .map(|((_, given), by_name)| given.or(by_name))
        .collect();
    let azimuth = |direction: Direction| direction.azimuth_elevation_deg().0;
    let slots = turntable(views.len());
    let is_free = |slot: &&Direction| {
        known.iter().flatten().all(|direction| {
            let apart = (azimuth(*direction) - azimuth(**slot)).rem_euclid(360.0);
            apart.min(360.0 - apart) >= LEAST_APART_DEG
        })
    };
    let mut free = slots.iter().filter(is_free);
    known
        .iter()
        .enumerate()
        .map(|(index, direction)| {
            let slot = || free.next().copied().or_else(|| slots.get(index).copied());
            direction.or_else(slot).unwrap_or(Direction::Front)
        })
        .collect()
}

/// A direction by its name where it has one.
fn named(azimuth_deg: f32, elevation_deg: f32) -> Direction {
    WORDS
        .iter()
        .map(|word| word.0)
        .filter(|direction| !matches!(direction, Direction::Top | Direction::Bottom))
        .find(|direction| direction.azimuth_elevation_deg() == (azimuth_deg, elevation_deg))
        .unwrap_or(Direction::Free {
            azimuth_deg,
            elevation_deg,
        })
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Number(u64),
}

/// Words (lower case) and whole numbers of a file name without its folder and ending.
fn tokens(name: &str) -> Vec<Token> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = match file.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => file,
    };
    let mut tokens = Vec::new();
    let mut current = String::new();
    let mut last: Option<char> = None;
    for next in stem.chars() {
        let is_border = !next.is_alphanumeric()
            || last.is_some_and(|last| {
                last.is_ascii_digit() != next.is_ascii_digit() || last.is_lowercase() && next.is_uppercase()
            });
        if is_border && !current.is_empty() {
            tokens.push(token(&std::mem::take(&mut current)));
        }
        if next.is_alphanumeric() {
            current.push(next);
        }
        last = Some(next);
    }
    if !current.is_empty() {
        tokens.push(token(&current));
    }
    tokens
}

fn token(text: &str) -> Token {
    text.parse()
        .map_or_else(|_| Token::Word(text.to_lowercase()), Token::Number)
}

fn word_direction(word: &str) -> Option<Direction> {
    WORDS
        .iter()
        .find(|(_, words)| words.contains(&word))
        .map(|&(direction, _)| direction)
}

/// The direction that a name's words give. Words that every name has (`top_hat_1`, `top_hat_2`) say nothing.
fn words_in(name: &[Token], all: &[Vec<Token>]) -> Option<Direction> {
    let tells = |token: &&Token| all.len() < 2 || !all.iter().all(|other| other.contains(token));
    let directions: Vec<Direction> = name
        .iter()
        .filter(tells)
        .filter_map(|token| match token {
            Token::Word(word) => word_direction(word),
            Token::Number(_) => None,
        })
        .collect();
    // A long word outweighs a lone letter: the `b` of `variant_b_front` names a variant.
    let spelled: Vec<Direction> = name
        .iter()
        .filter(tells)
        .filter_map(|token| match token {
            Token::Word(word) if word.chars().count() > 1 || !word.is_ascii() => word_direction(word),
            _ => None,
        })
        .collect();
    between(if spelled.is_empty() { &directions } else { &spelled })
}

/// The one direction, or the one between two neighbouring sides.
fn between(directions: &[Direction]) -> Option<Direction> {
    match *directions {
        [] => None,
        [one] => Some(one),
        [a, b, ..] if a == b => Some(a),
        [a, b, ..] => {
            let is_vertical = |direction| matches!(direction, Direction::Top | Direction::Bottom);
            let (level, other) = if is_vertical(a) { (b, a) } else { (a, b) };
            let (azimuth, _) = level.azimuth_elevation_deg();
            if is_vertical(other) {
                let elevation_deg = other.azimuth_elevation_deg().1 * 0.5;
                return (!is_vertical(level)).then(|| named(azimuth, elevation_deg));
            }
            let turn = (other.azimuth_elevation_deg().0 - azimuth + 540.0).rem_euclid(360.0) - 180.0;
            // Opposite sides contradict each other.
            (turn.abs() <= 90.0).then(|| named((azimuth + turn * 0.5).rem_euclid(360.0), 0.0))
        }
    }
}

/// `az` and `el` with their numbers.
fn angles_in(name: &[Token]) -> Option<Direction> {
    let number_after = |keys: &[&str]| {
        name.windows(2).find_map(|pair| match pair {
            [Token::Word(word), Token::Number(number)] if keys.contains(&word.as_str()) => Some(*number as f32),
            _ => None,
        })
    };
    let azimuth = number_after(&["az", "azi", "azim", "azimuth", "yaw", "rot"]).filter(|&azimuth| azimuth < 360.0)?;
    let elevation = number_after(&["el", "ele", "elev", "elevation", "pitch"]).filter(|&elevation| elevation <= 90.0);
    Some(named(azimuth, elevation.unwrap_or(0.0)))
}

/// Gives `side` the left, or the right where another name already says left; a second one the other side.
fn propose_sides(names: &[Vec<Token>], proposals: &mut [Option<Direction>]) {
    let is_side = |name: &Vec<Token>| {
        name.iter().any(|token| {
            matches!(token, Token::Word(word) if ["side", "profile", "profil", "seite", "lado", "lato", "側面", "侧面"].contains(&word.as_str()))
        })
    };
    if names.len() > 1 && names.iter().all(is_side) {
        return;
    }
    for (index, name) in names.iter().enumerate() {
        if proposals[index].is_none() && is_side(name) {
            proposals[index] = [Direction::Left, Direction::Right]
                .into_iter()
                .find(|side| !proposals.contains(&Some(*side)));
        }
    }
}

/// Azimuths in degrees from the one number in which the names differ.
fn azimuths_by_number(names: &[Vec<Token>]) -> Option<Vec<f32>> {
    let numbers = differing_numbers(names)?;
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    if sorted.windows(2).any(|pair| pair[0] == pair[1]) {
        return None;
    }
    let (&least, &most) = (sorted.first()?, sorted.last()?);
    let are_degrees = least == 0 && (24..360).contains(&most) && sorted.iter().all(|number| number % 5 == 0);
    if are_degrees {
        return Some(numbers.iter().map(|&number| number as f32).collect());
    }
    if numbers.len() < 3 {
        return None;
    }
    let order = |number: &u64| sorted.binary_search(number).unwrap_or(0);
    let step = 360.0 / numbers.len() as f32;
    Some(numbers.iter().map(|number| order(number) as f32 * step).collect())
}

/// The number of each name at the one place where the names differ; `None` when they differ in anything else.
fn differing_numbers(names: &[Vec<Token>]) -> Option<Vec<u64>> {
    let first = names.first().filter(|_| names.len() >= 2)?;
    if names.iter().any(|name| name.len() != first.len()) {
        return None;
    }
    let mut places = (0..first.len()).filter(|&place| names.iter().any(|name| name[place] != first[place]));
    let place = places.next()?;
    if places.next().is_some() {
        return None;
    }
    names
        .iter()
        .map(|name| match name[place] {
            Token::Number(number) => Some(number),
            Token::Word(_) => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use Direction::{Back, Bottom, Front, Left, Right, Top};

    fn proposed(names: &[&str]) -> Vec<Option<Direction>> {
        propose_directions(&names.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn free(azimuth_deg: f32, elevation_deg: f32) -> Direction {
        Direction::Free {
            azimuth_deg,
            elevation_deg,
        }
    }

    #[test]
    fn words_and_short_forms_name_sides() {
        assert_eq!(
            proposed(&["tiger_front.png", "tiger_left.png", "tiger_back.png"]),
            [Some(Front), Some(Left), Some(Back)]
        );
        assert_eq!(
            proposed(&["a/f.jpg", "a/b.jpg", "a/l.jpg", "a/r.jpg", "a/TOP.webp", "a/Bottom.PNG"]),
            [Front, Back, Left, Right, Top, Bottom].map(Some)
        );
        assert_eq!(
            proposed(&[
                "ente-vorne.png",
                "ente-rückseite.png",
                "EnteLinks2.png",
                "canard droite.png"
            ]),
            [Front, Back, Left, Right].map(Some)
        );
        assert_eq!(proposed(&["C:\\left\\owl.png"]), [None]);
    }

    #[test]
    fn two_words_name_the_direction_between() {
        assert_eq!(proposed(&["front_left.png"]), [Some(free(45.0, 0.0))]);
        assert_eq!(proposed(&["right-front.png"]), [Some(free(315.0, 0.0))]);
        assert_eq!(proposed(&["top_back.png"]), [Some(free(180.0, 45.0))]);
        assert_eq!(proposed(&["front_back.png"]), [None]);
        assert_eq!(proposed(&["variant_b_front.png"]), [Some(Front)]);
    }

    #[test]
    fn words_that_all_names_share_say_nothing() {
        assert_eq!(
            proposed(&["top_hat_front.png", "top_hat_back.png"]),
            [Some(Front), Some(Back)]
        );
        assert_eq!(proposed(&["back_yard.png", "back_door.png"]), [None, None]);
    }

    #[test]
    fn a_side_is_the_left_unless_that_is_taken() {
        assert_eq!(proposed(&["front.png", "side.png"]), [Some(Front), Some(Left)]);
        assert_eq!(
            proposed(&["side_1.png", "front.png", "side_2.png"]),
            [Some(Left), Some(Front), Some(Right)]
        );
        assert_eq!(proposed(&["left.png", "side.png"]), [Some(Left), Some(Right)]);
    }

    #[test]
    fn degrees_are_azimuths() {
        assert_eq!(
            proposed(&["owl_000.png", "owl_045.png", "owl_090.png"]),
            [Some(Front), Some(free(45.0, 0.0)), Some(Left)]
        );
        assert_eq!(proposed(&["owl_az045_el10.png"]), [Some(free(45.0, 10.0))]);
    }

    #[test]
    fn running_numbers_are_a_turntable_in_their_order() {
        assert_eq!(
            proposed(&["view_3.png", "view_1.png", "view_2.png", "view_4.png"]),
            [Some(Back), Some(Front), Some(Left), Some(Right)]
        );
        assert_eq!(
            proposed(&["IMG_0101.jpg", "IMG_0102.jpg", "IMG_0107.jpg"]),
            [Some(Front), Some(free(120.0, 0.0)), Some(free(240.0, 0.0))]
        );
    }

    #[test]
    fn names_that_say_nothing_give_nothing() {
        assert_eq!(proposed(&["castle.png", "dragon.png"]), [None, None]);
        assert_eq!(proposed(&["castle_1.png", "dragon_2.png", "owl_3.png"]), [None; 3]);
        assert_eq!(proposed(&["owl_1.png", "owl_2.png"]), [None, None]);
        assert_eq!(proposed(&[]), []);
    }

    #[test]
    fn a_turntable_starts_at_the_front_and_turns_to_the_left() {
        assert_eq!(turntable(4), [Front, Left, Back, Right]);
        assert!(turntable(0).is_empty());
    }

    #[test]
    fn views_without_a_name_that_tells_take_the_free_places() {
        let view = |name: &str, given| (name.to_owned(), given);
        let resolved = resolve_directions(&[view("front.png", None), view("x.png", None), view("y.png", Some(Back))]);
        assert_eq!((resolved[0], resolved[2]), (Front, Back));
        let (azimuth, _) = resolved[1].azimuth_elevation_deg();
        assert!((azimuth - 120.0).abs() < 1e-3, "{azimuth}");
        assert_eq!(resolve_directions(&[view("anything.png", None)]), [Front]);
    }
}
