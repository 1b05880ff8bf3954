//! `alnager audit fairness`: every rate, interval and test of a table of decisions.

use std::path::PathBuf;

use alnager_audit::declared::{
    Attribute, Audit, Binary, Characteristic, Decision, DecisionBy, Intersection, Missing, Score,
};
use alnager_audit::derived::Derived;
use alnager_audit::finding::{Correction, Method};
use alnager_audit::judge::Outcome;
use alnager_audit::profile::Profile;
use alnager_report::audit::{self as report, FairnessView, Part, ProfileView};
use alnager_work::acting::Flags;
use alnager_work::audit::fairness::{self, Request, Sizes};
use alnager_work::audit::profile;
use alnager_work::error::JobError;
use alnager_work::files::read_text;
use alnager_work::library::{self, Library};
use alnager_work::source::relation;
use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::Shown;
use super::profile::ProfileArguments;
use super::rows;
use crate::arguments::Format;
use crate::run::{CLEAR, HOLD, UNDECIDED};
use crate::terminal::{self, Bar};

/// What to audit, and how.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 pass, 1 fail, 3 inconclusive, 2 wrong use or input, 4 could not finish.\n\n\
    Example: alnager audit fairness decisions.parquet --label repaid --decision approved --favorable 1 \
    --attr sex,age_band --intersect 'sex*age_band' --ref sex=male --strata branch"
)]
pub(crate) struct FairnessArguments {
    /// The rows: a file, a folder of files, a pattern in quotes such as 'data/*.parquet', objects (s3://bucket/folder/), or a database
    data: PathBuf,
    /// The table or view to count, where the rows are in a database (postgres://user@host/database)
    #[arg(long, value_name = "TABLE", conflicts_with = "query")]
    table: Option<String>,
    /// A file with the SELECT to count, where the rows are in a database
    #[arg(long, value_name = "FILE")]
    query: Option<PathBuf>,
    /// The column of what happened afterwards; without it only selection is measured
    #[arg(long, value_name = "COLUMN")]
    label: Option<String>,
    /// The value of the label that counts as 1
    #[arg(long, value_name = "VALUE", default_value = "1")]
    label_positive: String,
    /// The column of the decision, or a threshold on a score such as 'score>=0.5'
    #[arg(
        long,
        value_name = "COLUMN|COLUMN>=NUMBER",
        required_unless_present = "stages",
        conflicts_with = "stages"
    )]
    decision: Option<String>,
    /// The decision that is good for the person; required, never guessed
    #[arg(long, alias = "favourable", value_name = "VALUE")]
    favorable: String,
    /// The value of the decision that counts as 1; without it `1`, or the favourable value where that is neither 0 nor 1
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// The column of the score behind the decision
    #[arg(long, value_name = "COLUMN")]
    score: Option<String>,
    /// The protected attributes
    #[arg(
        long = "attr",
        value_name = "COLUMN,…",
        required_unless_present = "sex",
        value_delimiter = ','
    )]
    attributes: Vec<String>,
    /// Combinations of attributes, such as 'race*sex'
    #[arg(
        long = "intersect",
        value_name = "COLUMN*COLUMN,…",
        value_delimiter = ','
    )]
    intersections: Vec<String>,
    /// The reference group of an attribute or combination, such as race=White or 'race*sex=White|Male'
    #[arg(long = "ref", value_name = "ATTRIBUTE=GROUP")]
    references: Vec<String>,
    /// The column of strata, within which groups are compared too
    #[arg(long, value_name = "COLUMN")]
    strata: Option<String>,
    /// The column that says when
    #[arg(long, value_name = "COLUMN")]
    period: Option<String>,
    /// The column of weights
    #[arg(long, value_name = "COLUMN")]
    weight: Option<String>,
    /// The column that says which rows are one person's
    #[arg(long, value_name = "COLUMN")]
    person: Option<String>,
    /// Count only rows that meet this condition, such as "age >= 40 && kind == 'loan'"
    #[arg(long = "where", value_name = "CONDITION")]
    filter: Option<String>,
    /// A TOML file of derived columns: bins, labels, thresholds (docs/guide/audit-lab.md)
    #[arg(long, value_name = "FILE")]
    derive: Option<PathBuf>,
    /// Spellings that mean unknown, besides the empty cell
    #[arg(long, value_name = "SPELLING,…", value_delimiter = ',')]
    unknown: Vec<String>,
    /// What becomes of rows whose group is unknown
    #[arg(long, value_enum, default_value_t = MissingName::Apart)]
    missing: MissingName,
    /// Groups smaller than this are reported, not judged; without it the policy's size
    #[arg(long, value_name = "ROWS")]
    min_group: Option<u64>,
    /// The smallest group that the data may choose as the reference; without it 30 for figures and the policy's size for tests
    #[arg(long, value_name = "ROWS")]
    reference_min: Option<u64>,
    /// The confidence of every interval, such as 0.95; without it the policy's
    #[arg(long, value_name = "SHARE")]
    confidence: Option<f64>,
    /// How many comparisons are allowed for
    #[arg(long, value_enum, default_value_t = CorrectionName::Holm)]
    correction: CorrectionName,
    /// Replicates of every bootstrap
    #[arg(long, value_name = "NUMBER", default_value_t = 2_000)]
    replicates: u64,
    /// The seed of every bootstrap; the same seed gives the same digits
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// A policy file with other tests and limits (docs/formats/policy-pack.md)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// For whom, and where the pages go.
    #[command(flatten)]
    profile: ProfileArguments,
}

impl FairnessArguments {
    /// The query that is to be counted, where there is one.
    pub(super) fn query(&self) -> Result<Option<String>, JobError> {
        self.query.as_deref().map(read_text).transpose()
    }
}

/// What becomes of rows whose group is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum MissingName {
    /// Counted apart, kept out of comparisons, with bounds
    Apart,
    /// A group of their own
    Group,
    /// The first one is an error
    Refuse,
}

/// How many comparisons are allowed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CorrectionName {
    /// Bounds the chance of any false alarm
    Holm,
    /// The same, simpler and weaker
    Bonferroni,
    /// Bounds the share of false alarms among the alarms
    Bh,
}

pub(crate) async fn run(
    flags: &Flags,
    arguments: &FairnessArguments,
    format: Format,
) -> Result<Shown, JobError> {
    let request = request(arguments)?;
    let asked = arguments.profile.request()?;
    if let Some(folder) = &arguments.profile.out {
        profile::place_for(folder)?;
    }
    let whole = |library: Library| (library.book, library.policy);
    let (book, policy) = match (&flags.law, &arguments.profile.system) {
        (Some(files), _) => whole(library::of_files(files)?),
        // A signature is held against every requirement there is.
        (None, Some(_)) => whole(library::shipped()?),
        (None, None) => library::shipped_theories()?,
    };
    let policy = match &arguments.policy {
        Some(path) => fairness::policy(path)?,
        None => policy,
    };
    let bar = Bar::new();
    let profiled = profile::examine(&request, &asked, &policy, &|progress| bar.show(progress));
    let controlled = profiled.as_ref().map_or(Ok(None), |profiled| {
        profile::controlled(&asked, profiled, &|progress| bar.show(progress))
    });
    bar.done();
    let (profiled, controlled) = (profiled?, controlled?);
    let when = profile::as_of(flags);
    let view = fairness::view(&profiled.examined);
    let has_pages = arguments.profile.out.is_some();
    let mut profile_view = profile::view(&asked, &profiled, controlled, &book, when, has_pages)?;
    if let Some(system) = &arguments.profile.system {
        let data = &profiled.examined.measures.data;
        profile::find_signature(flags, system, &book, &mut profile_view, data).await?;
    }
    let written = match &arguments.profile.out {
        Some(folder) => profile::write(folder, &view, &profile_view)?,
        None => Vec::new(),
    };
    let figures = &profiled.examined.figures;
    let text = match format {
        Format::Json => String::new(),
        Format::Text => words(&view, &profile_view, &written),
    };
    let code = match profiled.examined.outcome() {
        Outcome::Pass => CLEAR,
        Outcome::Fail => HOLD,
        Outcome::Inconclusive | Outcome::NotMeasured => UNDECIDED,
    };
    Ok(Shown {
        figures: document(&view, figures, &profile_view, &written),
        text,
        code,
        is_judged: true,
    })
}

fn document(
    view: &FairnessView,
    figures: &Value,
    profile: &ProfileView,
    written: &[PathBuf],
) -> Value {
    let mut document = report::json(view, figures);
    if let Some(document) = document.as_object_mut() {
        document.extend(report::profile_json(profile));
        let pages: Vec<String> = written
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        document.insert("pages".to_owned(), json!(pages));
    }
    document
}

fn words(view: &FairnessView, profile: &ProfileView, written: &[PathBuf]) -> String {
    let mut text = report::screen(view, terminal::style());
    let notice = match &profile.part {
        Part::Ll144(summary) => summary.signed_by.is_none(),
        Part::General | Part::Eeoc(_) | Part::Ecoa(_) | Part::Eu(_) => false,
    };
    if notice {
        text.push_str(&format!("Note    This is a {}.\n", report::SELF_TEST));
    }
    let profile = profile.profile();
    for path in written {
        text.push_str(&format!("Page    {}\n", path.display()));
    }
    if written.is_empty() && profile != Profile::General {
        text.push_str(&format!(
            "What the profile `{}` adds stands in its pages (--out DIR) and in --format json.\n",
            profile.word()
        ));
    }
    text
}

fn request(arguments: &FairnessArguments) -> Result<Request, JobError> {
    if let Some(confidence) = arguments.confidence
        && !(0.5..1.0).contains(&confidence)
    {
        return Err(wrong(
            "--confidence",
            "lies between 0.5 and 1, such as 0.95",
        ));
    }
    if !(1..=1_000_000).contains(&arguments.replicates) {
        return Err(wrong("--replicates", "lies between 1 and 1,000,000"));
    }
    let correction = match arguments.correction {
        CorrectionName::Holm => Correction::Holm,
        CorrectionName::Bonferroni => Correction::Bonferroni,
        CorrectionName::Bh => Correction::BenjaminiHochberg,
    };
    Ok(Request {
        audit: audit(arguments)?,
        sizes: Sizes {
            min_group: arguments.min_group,
            reference_min: arguments.reference_min,
            confidence: arguments.confidence,
        },
        method: Method {
            correction,
            n_replicates: arguments.replicates,
            seed: arguments.seed,
            ..Method::default()
        },
    })
}

fn wrong(flag: &str, problem: &str) -> JobError {
    JobError::Input(format!("{flag}: {problem}"))
}

/// The audit that the flags declare.
pub(super) fn audit(arguments: &FairnessArguments) -> Result<Audit, JobError> {
    let mut references = References::read(&arguments.references)?;
    let (columns, crossed) = columns(arguments);
    let attributes: Vec<Attribute> = columns
        .iter()
        .map(|column| Attribute {
            column: column.clone(),
            characteristic: Characteristic::Other,
            reference: references.take(column),
            special_category: None,
        })
        .collect();
    let intersections = crossed
        .iter()
        .map(|names| intersection(names, &attributes, &mut references))
        .collect::<Result<Vec<_>, _>>()?;
    references.done(&attributes, &intersections)?;
    let audit = Audit {
        name: "fairness".to_owned(),
        data: arguments.data.display().to_string(),
        label: arguments.label.as_ref().map(|column| Binary {
            column: column.clone(),
            positive: arguments.label_positive.clone(),
        }),
        decision: decision(arguments)?,
        score: arguments.score.as_ref().map(|column| Score {
            column: column.clone(),
            cuts: Vec::new(),
            every_value: true,
        }),
        attributes,
        intersections,
        strata: strata(arguments)?,
        unknown: arguments.unknown.clone(),
        missing: match arguments.missing {
            MissingName::Apart => Missing::Apart,
            MissingName::Group => Missing::Group,
            MissingName::Refuse => Missing::Refuse,
        },
        filter: arguments.filter.clone(),
        derived: derived(arguments)?,
        period: arguments.period.clone(),
        weight: arguments.weight.clone(),
        person: arguments.person.clone(),
        relation: relation(arguments.table.as_deref(), arguments.query.as_ref())?,
        model: None,
    };
    audit.check().map_err(JobError::Input)?;
    check_strata(&audit)?;
    check_profile(arguments, &audit)?;
    Ok(audit)
}

/// The attributes and combinations: those named, and those of the profile.
fn columns(arguments: &FairnessArguments) -> (Vec<String>, Vec<String>) {
    let profile = &arguments.profile;
    let named = arguments.attributes.iter().map(|column| column.trim());
    let own = profile
        .race
        .iter()
        .chain(&profile.sex)
        .map(|column| column.trim());
    let mut columns: Vec<String> = named.map(str::to_owned).collect();
    for column in own {
        if columns.iter().all(|known| known != column) {
            columns.push(column.to_owned());
        }
    }
    let mut crossed = arguments.intersections.clone();
    if let (Some(race), Some(sex)) = (&profile.race, &profile.sex) {
        let both = format!("{}*{}", race.trim(), sex.trim());
        if !crossed.contains(&both) {
            crossed.push(both);
        }
    }
    (columns, crossed)
}

/// Jobs are strata: people who apply for the same job are compared with each other.
fn strata(arguments: &FairnessArguments) -> Result<Option<String>, JobError> {
    match (&arguments.strata, &arguments.profile.job) {
        (Some(strata), Some(job)) if strata != job => Err(wrong(
            "--strata",
            "the jobs are the strata of this profile; leave the flag out",
        )),
        (strata, job) => Ok(job.clone().or_else(|| strata.clone())),
    }
}

/// Within a stratum of one group there is nobody to compare with, and it would say nothing.
fn check_strata(audit: &Audit) -> Result<(), JobError> {
    let attributes = || audit.attributes.iter().map(|attribute| &attribute.column);
    for (flag, what, column) in [
        ("--strata", "stratum", &audit.strata),
        ("--period", "period", &audit.period),
    ] {
        if let Some(column) = column
            && attributes().any(|attribute| attribute == column)
        {
            return Err(wrong(
                flag,
                &format!(
                    "`{column}` is an attribute too, so each {what} would hold one of its groups alone and nothing could be \
                     compared; name another column, or leave `{column}` out of --attr"
                ),
            ));
        }
    }
    Ok(())
}

/// What does not go together.
fn check_profile(arguments: &FairnessArguments, audit: &Audit) -> Result<(), JobError> {
    let has_stages = !arguments.profile.stages.is_empty();
    let aside = [
        ("--label", audit.label.is_some()),
        ("--score", audit.score.is_some()),
        ("--weight", audit.weight.is_some()),
        ("--person", audit.person.is_some()),
        ("--period", audit.period.is_some()),
        ("--strata", audit.strata != arguments.profile.job),
        ("--positive", arguments.positive.is_some()),
    ];
    if let Some((flag, _)) = aside
        .into_iter()
        .find(|(_, is_given)| *is_given && has_stages)
    {
        return Err(wrong(
            flag,
            "stages are counted by decision alone; leave it out, or audit one decision with --decision",
        ));
    }
    if arguments.profile.profile() == Profile::Ll144 {
        if audit.missing == Missing::Group {
            return Err(wrong(
                "--missing",
                "`group` would make the unknown a category of the summary; leave it out",
            ));
        }
        if let Some((flag, _)) = [
            ("--weight", audit.weight.is_some()),
            ("--person", audit.person.is_some()),
        ]
        .into_iter()
        .find(|(_, is_given)| *is_given)
        {
            return Err(wrong(
                flag,
                "the summary under Local Law 144 counts people, one a row; leave it out",
            ));
        }
    }
    Ok(())
}

fn derived(arguments: &FairnessArguments) -> Result<Vec<Derived>, JobError> {
    match &arguments.derive {
        Some(path) => Ok(Derived::read_all(
            &path.display().to_string(),
            &read_text(path)?,
        )?),
        None => Ok(Vec::new()),
    }
}

fn decision(arguments: &FairnessArguments) -> Result<Decision, JobError> {
    let favourable_name = arguments.favorable.clone();
    let Some(decision) = &arguments.decision else {
        // The bottom line: who the last stage lets through, of all who applied.
        let stages = arguments.profile.stages()?;
        let last = stages
            .last()
            .map_or(String::new(), |(_, column)| column.clone());
        return Ok(Decision {
            by: DecisionBy::Column(Binary {
                column: last,
                positive: favourable_name.clone(),
            }),
            favourable: 1,
            favourable_name,
        });
    };
    rows::decision(decision, &favourable_name, arguments.positive.as_deref())
}

fn intersection(
    names: &str,
    attributes: &[Attribute],
    references: &mut References,
) -> Result<Intersection, JobError> {
    let columns: Vec<String> = names
        .split('*')
        .map(|name| name.trim().to_owned())
        .collect();
    let unknown = columns.iter().find(|column| {
        attributes
            .iter()
            .all(|attribute| attribute.column != **column)
    });
    if let Some(column) = unknown {
        let problem =
            format!("`{column}` in `{names}` is not among the attributes; name it in --attr");
        return Err(wrong("--intersect", &problem));
    }
    if columns.len() < 2 || (1..columns.len()).any(|at| columns[..at].contains(&columns[at])) {
        let problem =
            format!("`{names}` joins at least two attributes, each once, such as 'race*sex'");
        return Err(wrong("--intersect", &problem));
    }
    Ok(Intersection {
        reference: references.take(&columns.join("*")),
        columns,
    })
}

/// Named reference groups, taken one by one.
struct References(Vec<(String, String)>);

impl References {
    fn read(texts: &[String]) -> Result<Self, JobError> {
        let mut references: Vec<(String, String)> = Vec::new();
        for text in texts {
            let Some((attribute, group)) = text.split_once('=') else {
                let problem = format!("`{text}` names no group; write race=White");
                return Err(wrong("--ref", &problem));
            };
            let attribute = attribute.trim().to_owned();
            if references.iter().any(|(other, _)| *other == attribute) {
                return Err(wrong(
                    "--ref",
                    &format!("`{attribute}` has two references; keep one"),
                ));
            }
            references.push((attribute, group.to_owned()));
        }
        Ok(References(references))
    }

    fn take(&mut self, attribute: &str) -> Option<String> {
        let at = self.0.iter().position(|(name, _)| name == attribute)?;
        Some(self.0.remove(at).1)
    }

    /// A reference that belongs to nothing is a misspelt attribute.
    fn done(
        self,
        attributes: &[Attribute],
        intersections: &[Intersection],
    ) -> Result<(), JobError> {
        let Some((left, _)) = self.0.first() else {
            return Ok(());
        };
        let known: Vec<String> = attributes
            .iter()
            .map(|attribute| attribute.column.clone())
            .chain(
                intersections
                    .iter()
                    .map(|intersection| intersection.columns.join("*")),
            )
            .collect();
        let problem = format!(
            "`{left}` is neither an attribute nor a combination; those are {}",
            known.join(", ")
        );
        Err(wrong("--ref", &problem))
    }
}
