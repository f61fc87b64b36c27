//! Names for people who don't exist.

const GIVEN: [&str; 40] = [
    "Ada", "Amara", "Anders", "Anouk", "Benedikt", "Chiara", "Clément", "Dilnoza", "Eilidh", "Emre", "Fatima",
    "Georgi", "Hana", "Imani", "Ines", "Ishaan", "Jelena", "Jorge", "Kaito", "Kwame", "Leilani", "Linh", "Luca",
    "Maëlle", "Magnus", "Mei", "Milan", "Nadia", "Noor", "Olena", "Paulo", "Priya", "Rasmus", "Saoirse", "Sofía",
    "Tariq", "Tomasz", "Wanjiru", "Yuki", "Zeynep",
];

const FAMILY: [&str; 37] = [
    "Abebe",
    "Almeida",
    "Bergström",
    "Bianchi",
    "Castillo",
    "Chaudhry",
    "Dimitrov",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ito",
    "Jansen",
    "Kaya",
    "Kovač",
    "Lindqvist",
    "MacLeod",
    "Mbeki",
    "Moreau",
    "Nakamura",
    "Nguyễn",
    "Novák",
    "O’Brien",
    "Okafor",
    "Petrenko",
    "Quispe",
    "Rahman",
    "Rossi",
    "Sato",
    "Silva",
    "Tanaka",
    "Țurcanu",
    "Varga",
    "Wójcik",
    "Yilmaz",
    "Zhang",
];

/// A name for the user of this rank; no two alike among the first 1,480.
pub(super) fn name(rank: usize) -> String {
    // Two lists without a common divisor meet in every combination.
    format!("{} {}", GIVEN[rank * 7 % GIVEN.len()], FAMILY[rank * 11 % FAMILY.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_are_called_alike() {
        let names: std::collections::BTreeSet<_> = (1..=1480).map(name).collect();
        assert_eq!(names.len(), 1480);
    }
}
