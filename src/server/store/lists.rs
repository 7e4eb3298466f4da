//! Lists: conditions put together from fixed texts with parameters, never from what a request says.

use super::StoreError;
use crate::server::domain::access::Visible;
use crate::wire::Visibility;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

/// Which part of a list: at most `limit` items whose key is after `after`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// 1 to 1000.
    pub limit: usize,
    /// The key of the last item of the page before.
    pub after: Option<String>,
}

/// The conditions of a list.
#[derive(Default)]
pub struct Where {
    text: String,
    values: Vec<Value>,
}

impl Where {
    /// Adds a condition with its `?` parameters.
    #[must_use]
    pub fn and(mut self, condition: &'static str, values: impl IntoIterator<Item = String>) -> Self {
        self.begin_condition();
        self.text.push_str(condition);
        self.values.extend(values.into_iter().map(Value::Text));
        self
    }

    /// The parameters that are texts.
    #[cfg(test)]
    pub fn texts(&self) -> Vec<&str> {
        self.values
            .iter()
            .filter_map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
            .collect()
    }

    fn begin_condition(&mut self) {
        self.text.push_str(if self.text.is_empty() { " WHERE " } else { " AND " });
    }

    /// Adds a condition where there is a value for it.
    #[must_use]
    pub fn and_if(self, condition: &'static str, value: Option<String>) -> Self {
        match value {
            Some(value) => self.and(condition, [value]),
            None => self,
        }
    }

    /// Only what the principal may see, of a list that joins the tenant as `t`.
    #[must_use]
    pub fn visible(self, visible: &Visible) -> Self {
        match visible {
            Visible::All => self,
            Visible::Tenant(own) => self.and("t.id = ?", [own.clone()]),
            Visible::PublicOr { own } => self.and(
                "(t.visibility = ? OR t.id = ?)",
                [super::columns::word(&Visibility::Public), own.clone()],
            ),
        }
    }

    /// The same of a list that also joins the owning user as `u`: what the principal's own users have is seen, too.
    #[must_use]
    pub fn visible_data(self, visible: &Visible, principal: &str) -> Self {
        match visible {
            Visible::All | Visible::Tenant(_) => self.visible(visible),
            Visible::PublicOr { own } => self.and(
                "(t.visibility = ? OR t.id = ? OR u.made_by = ?)",
                [super::columns::word(&Visibility::Public), own.clone(), principal.to_owned()],
            ),
        }
    }

    /// Only what comes after the page before, by a column.
    #[must_use]
    pub fn after(mut self, column: &'static str, page: &Page) -> Self {
        if let Some(after) = &page.after {
            self.begin_condition();
            self.text.push_str(column);
            self.text.push_str(" > ?");
            self.values.push(Value::Text(after.clone()));
        }
        self
    }

    /// One more row than the page holds, so that it shows whether there is a next page.
    pub fn rows<T>(
        self,
        connection: &Connection,
        select: &str,
        order: &'static str,
        page: &Page,
        item: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let sql = format!("{select}{} ORDER BY {order} LIMIT {}", self.text, page.limit + 1);
        let mut statement = connection.prepare_cached(&sql)?;
        let rows = statement.query_map(params_from_iter(self.values), item)?.collect::<Result<_, _>>()?;
        Ok(rows)
    }
}
