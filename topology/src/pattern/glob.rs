//! One glob as a deterministic automaton of as many states as it has characters: the pieces between the stars are found one after
//! the other, each as early as possible (Knuth, Morris, Pratt); the first is bound to the start of the name, the last to its end.

/// A state of a glob; `DEAD` can never match any more.
pub(crate) type State = u16;

pub(crate) const DEAD: State = State::MAX;

#[derive(Clone, Debug)]
pub(crate) struct Glob {
    source: String,
    pieces: Vec<Piece>,
    /// Which piece each state is in.
    piece_of: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Piece {
    chars: Vec<char>,
    /// For every prefix of the piece the length of its longest proper prefix that is also its suffix.
    fallback: Vec<usize>,
    /// The state with nothing of this piece seen.
    base: usize,
}

impl Glob {
    pub(crate) fn new(source: &str) -> Self {
        let mut base = 0;
        let mut pieces = Vec::new();
        for text in source.split('*') {
            let chars: Vec<char> = text.chars().collect();
            let len = chars.len();
            pieces.push(Piece { fallback: fallback(&chars), chars, base });
            base += len;
        }
        // A finished piece and the start of the next are the same state, so the last piece that claims a state has it.
        let piece_of = (0..=base)
            .map(|state| pieces.iter().rposition(|piece| piece.base <= state).unwrap_or(0))
            .collect();
        Self { source: source.to_owned(), pieces, piece_of }
    }

    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    pub(crate) fn matches(&self, name: &str) -> bool {
        self.accepts(name.chars().fold(self.start(), |state, c| self.step(state, c)))
    }

    pub(crate) fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.pieces.iter().flat_map(|piece| piece.chars.iter().copied())
    }

    pub(crate) fn start(&self) -> State {
        0
    }

    pub(crate) fn accepts(&self, state: State) -> bool {
        usize::from(state) + 1 == self.piece_of.len()
    }

    pub(crate) fn step(&self, state: State, c: char) -> State {
        let at = usize::from(state);
        let Some((index, piece)) =
            self.piece_of.get(at).and_then(|index| Some((*index, self.pieces.get(*index)?)))
        else {
            return DEAD;
        };
        let seen = at - piece.base;
        let seen = if index == 0 { piece.exactly(seen, c) } else { Some(piece.anywhere(seen, c)) };
        seen.and_then(|seen| State::try_from(piece.base + seen).ok()).unwrap_or(DEAD)
    }
}

impl Piece {
    fn exactly(&self, seen: usize, c: char) -> Option<usize> {
        (self.chars.get(seen) == Some(&c)).then_some(seen + 1)
    }

    fn anywhere(&self, mut seen: usize, c: char) -> usize {
        loop {
            if self.chars.get(seen) == Some(&c) {
                return seen + 1;
            }
            match seen.checked_sub(1).and_then(|last| self.fallback.get(last)) {
                Some(shorter) => seen = *shorter,
                None => return 0,
            }
        }
    }
}

fn fallback(chars: &[char]) -> Vec<usize> {
    let mut table = Vec::with_capacity(chars.len());
    let mut length = 0;
    for (at, c) in chars.iter().enumerate() {
        if at > 0 {
            while length > 0 && chars.get(length) != Some(c) {
                length = table.get(length - 1).copied().unwrap_or(0);
            }
            if chars.get(length) == Some(c) {
                length += 1;
            }
        }
        table.push(length);
    }
    table
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, word for word.
    fn brute(pattern: &[char], name: &[char]) -> bool {
        match pattern.split_first() {
            None => name.is_empty(),
            Some(('*', rest)) => (0..=name.len()).any(|skip| brute(rest, &name[skip..])),
            Some((c, rest)) => name.first() == Some(c) && brute(rest, &name[1..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn matching_is_the_definition(pattern in "[ab*]{0,8}", name in "[abc]{0,10}") {
            let chars: Vec<char> = pattern.chars().collect();
            let expected = brute(&chars, &name.chars().collect::<Vec<_>>());
            prop_assert_eq!(Glob::new(&pattern).matches(&name), expected);
        }
    }

    #[test]
    fn a_piece_that_overlaps_itself_is_found() {
        assert!(Glob::new("*aab*").matches("aaab"));
        assert!(Glob::new("*abab").matches("abaabab"));
        assert!(!Glob::new("ab*ab").matches("ab"));
    }
}
