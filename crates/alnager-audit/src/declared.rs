//! Audits as a system declares them: which file, which columns, which groups.

use alnager_law::read::{Node, ReadError};
use serde::{Deserialize, Serialize};

use crate::derived::Derived;
use crate::model::Model;

/// One declared audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Its name, unique in the system.
    pub name: String,
    /// The data file, relative to the declaration.
    pub data: String,
    /// The observed outcome; without it only selection is measured.
    pub label: Option<Binary>,
    /// The system's decision.
    pub decision: Decision,
    /// The score behind it, if it is audited.
    pub score: Option<Score>,
    /// The protected attributes.
    pub attributes: Vec<Attribute>,
    /// Combinations of protected attributes.
    pub intersections: Vec<Intersection>,
    /// The column of strata.
    pub strata: Option<String>,
    /// Spellings that mean *unknown* in attribute columns, besides the empty cell.
    pub unknown: Vec<String>,
    /// What becomes of rows whose group is unknown.
    #[serde(default, skip_serializing_if = "Missing::is_default")]
    pub missing: Missing,
    /// The condition on columns that a row must meet to be counted, in the rule language.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Columns made from others while the rows are counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub derived: Vec<Derived>,
    /// The column that says when; its values part the count table further.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// The column of weights: 0, or from 1e-100 to 1e100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The column that says which rows are one person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// The model whose answers are one of the columns above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<Model>,
    /// What is counted, where `data` is the address of a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relation: Option<Relation>,
}

/// What of a database is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// A table or view, its schema before it and a dot.
    Table(String),
    /// One `SELECT`.
    Query(String),
}

/// What becomes of rows whose group is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missing {
    /// They are counted apart and kept out of every comparison, with bounds on what they could change.
    #[default]
    Apart,
    /// They are a group of their own, called [`UNKNOWN_GROUP`].
    Group,
    /// There may be none: the first one is an error.
    Refuse,
}

/// The name of the group of unknowns, where they are one.
pub const UNKNOWN_GROUP: &str = "(unknown)";

impl Missing {
    /// The words for it.
    pub const WORDS: [&str; 3] = ["apart", "group", "refuse"];

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "apart" => Some(Missing::Apart),
            "group" => Some(Missing::Group),
            "refuse" => Some(Missing::Refuse),
            _ => None,
        }
    }

    fn is_default(&self) -> bool {
        *self == Missing::Apart
    }
}

/// A column with two values, one of which counts as 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binary {
    /// The column.
    pub column: String,
    /// The value that counts as 1.
    pub positive: String,
}

/// The decision: a column with two values, or a score held against a threshold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Where it comes from.
    pub by: DecisionBy,
    /// The decision that is good for the person: 0 or 1. Required, never guessed.
    pub favourable: u8,
    /// The favourable decision in the declaration's own words.
    pub favourable_name: String,
}

/// Where a decision comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecisionBy {
    /// A column with two values.
    Column(Binary),
    /// 1 where the score is at least the threshold.
    Threshold {
        /// The score column.
        column: String,
        /// The threshold.
        at_least: f64,
    },
}

/// A score to be audited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The column.
    pub column: String,
    /// Thresholds at which the score is counted, ascending; empty: at every value that occurs, if there are at most
    /// [`SCORE_VALUES_MAX`].
    pub cuts: Vec<f64>,
    /// Whether every score is counted by its value, however many there are, for the metrics that need the whole distribution.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_value: bool,
}

/// More distinct score values than this need declared `cuts`.
pub const SCORE_VALUES_MAX: usize = 100;

/// An attribute column with more distinct values than this needs bins or a correction.
pub const GROUPS_MAX: usize = 50;

/// A protected attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// The column.
    pub column: String,
    /// The characteristic it records.
    pub characteristic: Characteristic,
    /// The group the others are compared with; without it, the one with the highest favourable rate among groups of at least
    /// the policy's size.
    pub reference: Option<String>,
    /// For a special category of data: why it may be counted.
    pub special_category: Option<SpecialCategory>,
}

/// Why a special category of data may be counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialCategory {
    /// The lawful basis, with its citation.
    pub lawful_basis: String,
    /// The file of the necessity record, relative to the declaration.
    pub necessity: String,
}

/// A combination of protected attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intersection {
    /// The attribute columns, in order.
    pub columns: Vec<String>,
    /// The reference group, its values joined by `|`.
    pub reference: Option<String>,
}

macro_rules! characteristics {
    ($($name:ident $word:literal $special:literal $doc:literal),* $(,)?) => {
        /// What a protected attribute records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Characteristic {
            $(#[doc = $doc] $name,)*
        }

        impl Characteristic {
            /// The words a declaration may use.
            pub const WORDS: &[&str] = &[$($word),*];

            /// The characteristic a word stands for.
            pub fn of(word: &str) -> Option<Self> {
                match word { $($word => Some(Characteristic::$name),)* _ => None }
            }

            /// Its word.
            pub fn word(self) -> &'static str {
                match self { $(Characteristic::$name => $word,)* }
            }

            /// Whether it is a special category of personal data (Regulation (EU) 2016/679, Art 9(1)).
            pub fn is_special_category(self) -> bool {
                match self { $(Characteristic::$name => $special,)* }
            }
        }
    };
}

characteristics! {
    Age "age" false "Age.",
    Sex "sex" false "Sex.",
    RaceEthnicity "race_ethnicity" true "Racial or ethnic origin.",
    NationalOrigin "national_origin" false "National origin.",
    Religion "religion" true "Religious or philosophical belief.",
    PoliticalOpinion "political_opinion" true "Political opinion.",
    TradeUnion "trade_union" true "Trade-union membership.",
    Genetic "genetic" true "Genetic data.",
    Biometric "biometric" true "Biometric data that identify a person.",
    Health "health" true "Health.",
    Disability "disability" true "Disability.",
    SexLife "sex_life" true "Sex life or sexual orientation.",
    MaritalStatus "marital_status" false "Marital status.",
    PublicAssistance "public_assistance" false "Income from public assistance.",
    Other "other" false "Another characteristic.",
}

impl Audit {
    /// Reads one `[[audit]]` table.
    pub fn read(node: &Node) -> Result<Self, ReadError> {
        node.only(&[
            "name",
            "data",
            "label",
            "decision",
            "score",
            "attribute",
            "intersection",
            "strata",
            "unknown",
            "missing",
            "where",
            "derive",
            "period",
            "weight",
            "person",
            "model",
            "table",
            "query",
        ])?;
        let attributes: Vec<Attribute> = node.each("attribute", attribute)?;
        if attributes.is_empty() {
            return Err(node.wrong(
                "an audit needs at least one `[[audit.attribute]]`: the groups to compare",
            ));
        }
        let audit = Audit {
            name: node.need("name")?.words()?,
            data: node.need("data")?.words()?,
            label: node.get("label")?.map(binary).transpose()?,
            decision: decision(node.need("decision")?)?,
            score: node.get("score")?.map(score).transpose()?,
            intersections: node.each("intersection", |item| intersection(item, &attributes))?,
            attributes,
            strata: node.get("strata")?.map(Node::words).transpose()?,
            unknown: node
                .get("unknown")?
                .map(Node::texts)
                .transpose()?
                .unwrap_or_default(),
            missing: match node.get("missing")? {
                Some(word) => Missing::of(&word.one_of(Missing::WORDS)?).unwrap_or_default(),
                None => Missing::default(),
            },
            filter: node.get("where")?.map(condition).transpose()?,
            derived: node.each("derive", Derived::read)?,
            period: node.get("period")?.map(Node::words).transpose()?,
            weight: node.get("weight")?.map(Node::words).transpose()?,
            person: node.get("person")?.map(Node::words).transpose()?,
            relation: relation(node)?,
            model: node.get("model")?.map(Model::read).transpose()?,
        };
        if let (Some(model), Some(node)) = (&audit.model, node.get("model")?) {
            model.check(&audit).map_err(|problem| node.wrong(problem))?;
        }
        audit.check().map_err(|problem| node.wrong(problem))?;
        Ok(audit)
    }

    /// A column has one part to play: what is decided, what came of it, or whom it concerned. And no two groupings, and no two
    /// derived columns, share a name. The answer says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        let groupings = self.groupings();
        let twice = |names: Vec<&str>| {
            let at = (1..names.len()).find(|at| names[..*at].contains(&names[*at]))?;
            Some(names[at].to_owned())
        };
        if let Some(name) = twice(
            groupings
                .iter()
                .map(|grouping| grouping.name.as_str())
                .collect(),
        ) {
            return Err(format!(
                "two groupings are called `{name}`; keep one, or rename the column"
            ));
        }
        if let Some(name) = twice(
            self.derived
                .iter()
                .map(|derived| derived.column.as_str())
                .collect(),
        ) {
            return Err(format!(
                "two derived columns are called `{name}`; rename one"
            ));
        }
        if self.weight.is_some() && self.person.is_some() {
            return Err(
                "rows are weighted or a person's, not both: intervals of weighted persons are not worked out; leave one out"
                    .to_owned(),
            );
        }
        let is_shadow = |derived: &&Derived| derived.column == derived.from;
        if let Some(derived) = self.derived.iter().find(is_shadow) {
            return Err(format!(
                "the derived column `{}` has the name of the column it is made from; give it another",
                derived.column
            ));
        }
        let decided = match &self.decision.by {
            DecisionBy::Column(binary) => &binary.column,
            DecisionBy::Threshold { column, .. } => column,
        };
        let label = self.label.as_ref().map(|label| &label.column);
        if label == Some(decided) {
            return Err(format!(
                "`{decided}` is both the decision and its observed outcome; name the column of what happened afterwards"
            ));
        }
        let protected =
            |column: &&Attribute| column.column == *decided || Some(&column.column) == label;
        match self.attributes.iter().find(protected) {
            Some(attribute) => Err(format!(
                "`{}` is an attribute and also the decision or the outcome; name another column",
                attribute.column
            )),
            None => Ok(()),
        }
    }

    /// The columns of its count table besides label and decision: the attributes, then the strata, then the period.
    pub fn key_columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = Vec::new();
        let attributes = self.attributes.iter().map(|attribute| &attribute.column);
        for column in attributes.chain(&self.strata).chain(&self.period) {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        columns
    }

    /// The questions it compares groups by: each attribute, then each intersection; name, columns, reference.
    pub fn groupings(&self) -> Vec<Grouping> {
        let attributes = self.attributes.iter().map(|attribute| Grouping {
            name: attribute.column.clone(),
            columns: vec![attribute.column.clone()],
            reference: attribute.reference.clone(),
        });
        let intersections = self.intersections.iter().map(|intersection| Grouping {
            name: intersection.columns.join("*"),
            columns: intersection.columns.clone(),
            reference: intersection.reference.clone(),
        });
        attributes.chain(intersections).collect()
    }

    /// Whether a grouping counts a special category of data without a named lawful basis and necessity record: its figures are
    /// then a what-if and no evidence.
    pub fn is_what_if(&self, columns: &[String]) -> bool {
        self.attributes.iter().any(|attribute| {
            columns.contains(&attribute.column)
                && attribute.characteristic.is_special_category()
                && attribute.special_category.is_none()
        })
    }
}

/// One way an audit divides people into groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grouping {
    /// The attribute, or the attributes joined by `*`.
    pub name: String,
    /// The columns.
    pub columns: Vec<String>,
    /// The declared reference group.
    pub reference: Option<String>,
}

/// What of a database is counted; without a database, nothing says so.
fn relation(node: &Node) -> Result<Option<Relation>, ReadError> {
    let (table, query) = (node.get("table")?, node.get("query")?);
    match (table, query) {
        (Some(table), None) => Ok(Some(Relation::Table(table.words()?))),
        (None, Some(query)) => Ok(Some(Relation::Query(query.words()?))),
        (None, None) => Ok(None),
        (Some(_), Some(query)) => {
            Err(query.wrong("`table` and `query` both say what to count; keep one"))
        }
    }
}

/// A condition on columns; what does not read is refused where it stands.
fn condition(node: &Node) -> Result<String, ReadError> {
    let text = node.words()?;
    match alnager_law::rule::over_columns(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(node.wrong(error.to_string())),
    }
}

fn binary(node: &Node) -> Result<Binary, ReadError> {
    node.only(&["column", "positive"])?;
    Ok(Binary {
        column: node.need("column")?.words()?,
        positive: node.need("positive")?.words()?,
    })
}

fn decision(node: &Node) -> Result<Decision, ReadError> {
    node.only(&["column", "positive", "at_least", "favourable"])?;
    let column = node.need("column")?.words()?;
    let favourable = node.need("favourable")?;
    if let Some(at_least) = node.get("at_least")? {
        let name = favourable.one_of(["at_least", "below"])?;
        let by = DecisionBy::Threshold {
            column,
            at_least: at_least.number()?,
        };
        return Ok(Decision {
            by,
            favourable: u8::from(name == "at_least"),
            favourable_name: name,
        });
    }
    let positive = node.need("positive")?.words()?;
    let name = favourable.words()?;
    let favourable = u8::from(name == positive);
    Ok(Decision {
        by: DecisionBy::Column(Binary { column, positive }),
        favourable,
        favourable_name: name,
    })
}

fn score(node: &Node) -> Result<Score, ReadError> {
    node.only(&["column", "cuts"])?;
    let cuts = node.get("cuts")?.map_or(Ok(Vec::new()), |cuts| {
        cuts.list()?.iter().map(Node::number).collect()
    })?;
    if !cuts.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(node.wrong("`cuts` must ascend"));
    }
    Ok(Score {
        column: node.need("column")?.words()?,
        cuts,
        every_value: false,
    })
}

fn attribute(node: &Node) -> Result<Attribute, ReadError> {
    node.only(&["column", "characteristic", "reference", "special_category"])?;
    let word = node
        .need("characteristic")?
        .one_of(Characteristic::WORDS.iter().copied())?;
    let special_category = match node.get("special_category")? {
        None => None,
        Some(node) => {
            node.only(&["lawful_basis", "necessity"])?;
            Some(SpecialCategory {
                lawful_basis: node.need("lawful_basis")?.words()?,
                necessity: node.need("necessity")?.words()?,
            })
        }
    };
    Ok(Attribute {
        column: node.need("column")?.words()?,
        characteristic: Characteristic::of(&word).unwrap_or(Characteristic::Other),
        reference: node.get("reference")?.map(Node::words).transpose()?,
        special_category,
    })
}

fn intersection(node: &Node, attributes: &[Attribute]) -> Result<Intersection, ReadError> {
    node.only(&["columns", "reference"])?;
    let names = || attributes.iter().map(|attribute| attribute.column.as_str());
    let columns = node.need("columns")?;
    let mut found = Vec::new();
    for column in columns.list()? {
        found.push(column.one_of(names().collect::<Vec<_>>())?);
    }
    if (1..found.len()).any(|at| found[..at].contains(&found[at])) {
        return Err(columns.wrong("an intersection names each attribute once"));
    }
    if found.len() < 2 {
        return Err(columns.wrong("an intersection joins at least two declared attributes"));
    }
    Ok(Intersection {
        columns: found,
        reference: node.get("reference")?.map(Node::words).transpose()?,
    })
}
