//! Columns for terminals.

/// Rows of cells, each column as wide as its widest cell, two spaces between. Nothing for no rows.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let widths: [usize; N] = std::array::from_fn(|column| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        let head = head.get(column).map_or(0, |cell| cell.chars().count());
        cells.chain([head]).max().unwrap_or(0)
    });
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", padded.collect::<Vec<_>>().join("  ").trim_end())
    };
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    [line(head.to_vec())].into_iter().chain(rows).collect()
}

/// What is not known is a dash.
pub(super) fn cell<T: ToString>(value: Option<T>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["a".to_owned(), cell(Some(12))], ["long".to_owned(), cell::<u8>(None)]];
        assert_eq!(table(["name", "n"], &rows), "name  n\na     12\nlong  -\n");
        assert_eq!(table(["name"], &[]), "");
    }
}
