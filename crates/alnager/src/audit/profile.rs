//! The flags of a profile: what it asks besides the audit itself, and where its pages go.

use std::path::PathBuf;

use alnager_audit::profile::Profile;
use alnager_audit::profile::ll144::Columns;
use alnager_work::audit::profile::{Eeoc, Ll144, PartRequest, Request};
use alnager_work::audit::theories::Asked;
use alnager_work::error::JobError;
use clap::{Args, ValueEnum};
use jiff::civil::Date;

/// For whom the report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProfileName {
    /// Every figure, for no one in particular
    General,
    /// New York City's Local Law 144: a public summary and a private annex
    Ll144,
    /// Adverse impact by job and stage
    Eeoc,
    /// Credit: raw and controlled disparities
    Ecoa,
    /// The EU AI Act: representativeness, errors by group, accuracy
    Eu,
}

/// Flags about profile and pages.
#[derive(Debug, Args)]
#[command(next_help_heading = "Profile and pages")]
pub(crate) struct ProfileArguments {
    /// For whom the report is written (docs/reference/audit-profiles.md)
    #[arg(long, value_enum, default_value_t = ProfileName::General)]
    profile: ProfileName,
    /// Write the pages into this folder; it may hold no earlier report
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Write a page for the public too; small counts are kept back there
    #[arg(long)]
    public: bool,
    /// Counts from 1 to one less than this are kept from the public; without it 5, and in a summary under Local Law 144 all are shown
    #[arg(long, value_name = "NUMBER")]
    small_cell: Option<u64>,
    /// Where people are concerned, for what each test serves, such as US-NYC
    #[arg(long = "place", value_name = "PLACE,…", value_delimiter = ',')]
    places: Vec<String>,
    /// The kind of decision, for what each test serves, such as employment or finance
    #[arg(long, value_name = "KIND")]
    domain: Option<String>,
    /// ll144: the column of sex
    #[arg(long, value_name = "COLUMN")]
    pub(crate) sex: Option<String>,
    /// ll144: the column of race/ethnicity
    #[arg(long, value_name = "COLUMN")]
    pub(crate) race: Option<String>,
    /// ll144: leave categories under 2 % out of the ratios; for an auditor to decide
    #[arg(long, requires = "justification")]
    exclude_small: bool,
    /// ll144: why they are left out; it is published
    #[arg(long, value_name = "TEXT", requires = "exclude_small")]
    justification: Option<String>,
    /// ll144: source and explanation of the data; it is published
    #[arg(long, value_name = "TEXT")]
    source: Option<String>,
    /// ll144: the first day the tool was used
    #[arg(long, value_name = "DAY")]
    distribution_date: Option<Date>,
    /// ll144: the day of the audit
    #[arg(long, value_name = "DAY")]
    audit_date: Option<Date>,
    /// ll144: the name of the tool
    #[arg(long, value_name = "TEXT")]
    tool: Option<String>,
    /// ll144: the system in the desk whose sealed, signed audit these tables may be; without it every page says self-test
    #[arg(long, value_name = "ID")]
    pub(crate) system: Option<String>,
    /// eeoc: the column of the job
    #[arg(long, value_name = "COLUMN")]
    pub(crate) job: Option<String>,
    /// eeoc: a stage and its column of decisions, empty where the person did not reach it; in their order, once each
    #[arg(long = "stage", value_name = "NAME=COLUMN")]
    pub(crate) stages: Vec<String>,
    /// ecoa: the factors held fixed
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    pub(crate) controls: Vec<String>,
    /// eu: the ground on which people are counted by a special category, with its citation
    #[arg(long, value_name = "TEXT")]
    lawful_basis: Option<String>,
}

/// The smallest count shown to the public where none is named.
const SMALL_CELL: u64 = 5;

impl ProfileArguments {
    /// The profile.
    pub(crate) fn profile(&self) -> Profile {
        match self.profile {
            ProfileName::General => Profile::General,
            ProfileName::Ll144 => Profile::Ll144,
            ProfileName::Eeoc => Profile::Eeoc,
            ProfileName::Ecoa => Profile::Ecoa,
            ProfileName::Eu => Profile::Eu,
        }
    }

    /// Name and column of each stage.
    pub(crate) fn stages(&self) -> Result<Vec<(String, String)>, JobError> {
        let mut stages: Vec<(String, String)> = Vec::new();
        for text in &self.stages {
            let Some((name, column)) = text.split_once('=') else {
                return Err(wrong(
                    "--stage",
                    &format!("`{text}` names no column; write interview=passed_interview"),
                ));
            };
            let (name, column) = (name.trim().to_owned(), column.trim().to_owned());
            if name.is_empty() || column.is_empty() {
                return Err(wrong(
                    "--stage",
                    &format!("`{text}` lacks a name or a column; write interview=passed_interview"),
                ));
            }
            if stages
                .iter()
                .any(|(other, at)| *other == name || *at == column)
            {
                return Err(wrong(
                    "--stage",
                    &format!("`{text}` repeats a name or a column; keep one"),
                ));
            }
            stages.push((name, column));
        }
        Ok(stages)
    }

    /// What is asked of the profile; a flag of another profile is refused.
    pub(crate) fn request(&self) -> Result<Request, JobError> {
        self.check_flags()?;
        if self.small_cell == Some(0) {
            return Err(wrong(
                "--small-cell",
                "is at least 1, which keeps nothing back",
            ));
        }
        let (places, domain): (&[&str], Option<&str>) = match self.profile {
            ProfileName::General => (&[], None),
            ProfileName::Ll144 => (&["US-NYC"], Some("employment")),
            ProfileName::Eeoc => (&["US"], Some("employment")),
            ProfileName::Ecoa => (&["US"], Some("finance")),
            ProfileName::Eu => (&["EU"], None),
        };
        let places = match self.places.as_slice() {
            [] => places.iter().map(|place| (*place).to_owned()).collect(),
            named => named.iter().map(|place| place.trim().to_owned()).collect(),
        };
        Ok(Request {
            part: self.part()?,
            theories: Asked {
                places,
                domain: self.domain.clone().or(domain.map(str::to_owned)),
            },
            is_public: self.public,
            small_cell: self.small_cell.unwrap_or(SMALL_CELL),
        })
    }

    fn part(&self) -> Result<PartRequest, JobError> {
        Ok(match self.profile {
            ProfileName::General => PartRequest::General,
            ProfileName::Ll144 => {
                let (Some(sex), Some(race)) = (&self.sex, &self.race) else {
                    return Err(wrong(
                        "--profile",
                        "`ll144` needs the columns of sex and race/ethnicity; name them with --sex COLUMN --race COLUMN",
                    ));
                };
                PartRequest::Ll144(Box::new(Ll144 {
                    columns: Columns {
                        sex: sex.clone(),
                        race: race.clone(),
                    },
                    justification: self.justification.clone(),
                    tool: self.tool.clone(),
                    source: self.source.clone(),
                    distribution_date: self.distribution_date,
                    audit_date: self.audit_date,
                    small_cell: self.small_cell,
                }))
            }
            ProfileName::Eeoc => PartRequest::Eeoc(Eeoc {
                job: self.job.clone(),
                stages: self.stages()?,
            }),
            ProfileName::Ecoa => PartRequest::Ecoa {
                controls: self
                    .controls
                    .iter()
                    .map(|column| column.trim().to_owned())
                    .collect(),
            },
            ProfileName::Eu => PartRequest::Eu {
                lawful_basis: self.lawful_basis.clone(),
            },
        })
    }

    /// Which profile each flag belongs to.
    fn check_flags(&self) -> Result<(), JobError> {
        use ProfileName::{Ecoa, Eeoc, Eu, Ll144};
        let flags = [
            ("--sex", Ll144, self.sex.is_some()),
            ("--race", Ll144, self.race.is_some()),
            ("--exclude-small", Ll144, self.exclude_small),
            ("--source", Ll144, self.source.is_some()),
            (
                "--distribution-date",
                Ll144,
                self.distribution_date.is_some(),
            ),
            ("--audit-date", Ll144, self.audit_date.is_some()),
            ("--tool", Ll144, self.tool.is_some()),
            ("--system", Ll144, self.system.is_some()),
            ("--job", Eeoc, self.job.is_some()),
            ("--stage", Eeoc, !self.stages.is_empty()),
            ("--controls", Ecoa, !self.controls.is_empty()),
            ("--lawful-basis", Eu, self.lawful_basis.is_some()),
        ];
        for (flag, profile, is_given) in flags {
            if is_given && self.profile != profile {
                let name = profile
                    .to_possible_value()
                    .map(|value| value.get_name().to_owned());
                let name = name.unwrap_or_default();
                return Err(wrong(
                    flag,
                    &format!("belongs to --profile {name}; add that, or leave the flag out"),
                ));
            }
        }
        if self.public && self.profile == Ll144 {
            return Err(wrong(
                "--public",
                "the profile `ll144` has a summary for the public already; leave the flag out",
            ));
        }
        if self.public && self.out.is_none() {
            return Err(wrong(
                "--public",
                "writes a page; name its folder with --out DIR",
            ));
        }
        Ok(())
    }
}

fn wrong(flag: &str, problem: &str) -> JobError {
    JobError::Input(format!("{flag}: {problem}"))
}
