//! The house: the organisations on one server, and what they share: an address and its limits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use alnager_store::{Desk, Place};
use alnager_work::error::JobError;
use jiff::tz::TimeZone;
use tokio::sync::OnceCell;

use crate::limit::Limits;
use crate::metrics::Metrics;
use crate::organisation::Organisation;
use crate::secret::Secret;

/// How the house is run.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address people use, such as `https://alnager.example.org`; without it the one of each request counts.
    pub public: Option<String>,
    /// The time zone that says which day it is.
    pub zone: TimeZone,
    /// The program that reads uploaded files, in a process of its own.
    pub program: PathBuf,
}

/// Everything a server holds.
pub struct House {
    /// The organisations, by their words in addresses.
    pub seats: BTreeMap<String, Seat>,
    /// How it is run.
    pub options: Options,
    /// How often somebody may try to sign in.
    pub limits: Limits,
    /// What was counted since the server began.
    pub metrics: Metrics,
}

/// A place for one organisation. Until its desk exists, whoever holds the secret sets it up.
pub struct Seat {
    /// Its word in addresses.
    pub slug: String,
    /// Where its desk is, or will be.
    pub place: Place,
    /// Lets somebody set the organisation up, until it has people.
    pub setup: Secret,
    organisation: OnceCell<Arc<Organisation>>,
}

impl House {
    /// Opens every desk that exists. Words in addresses follow from the desks' places and are different.
    pub async fn open(places: Vec<Place>, options: Options) -> Result<House, JobError> {
        let mut seats = BTreeMap::new();
        for place in places {
            let slug = free_slug(&slug(&place), &seats);
            let seat = Seat::open(&slug, place, &options).await?;
            seats.insert(slug, seat);
        }
        Ok(House {
            seats,
            options,
            limits: Limits::default(),
            metrics: Metrics::default(),
        })
    }

    /// The only organisation's seat; `None` where there are several.
    pub fn only(&self) -> Option<&Seat> {
        let mut seats = self.seats.values();
        seats.next().filter(|_| self.seats.len() == 1)
    }

    /// Whether addresses are reached by TLS.
    pub fn is_secure(&self) -> bool {
        let public = self.options.public.as_deref();
        public.is_some_and(|public| public.starts_with("https://"))
    }
}

impl Seat {
    async fn open(slug: &str, place: Place, options: &Options) -> Result<Seat, JobError> {
        let seat = Seat {
            slug: slug.to_owned(),
            setup: Secret::new()?,
            organisation: OnceCell::new(),
            place,
        };
        if Desk::exists(&seat.place).await {
            seat.fill(options).await?;
        }
        Ok(seat)
    }

    /// Whether nobody has set it up yet.
    pub fn is_vacant(&self) -> bool {
        let organisation = self.organisation();
        organisation.is_none_or(|organisation| organisation.moment().state.roles.is_empty())
    }

    /// The organisation, once its desk exists.
    pub fn organisation(&self) -> Option<&Arc<Organisation>> {
        self.organisation.get()
    }

    /// Opens the desk, which exists by now.
    pub async fn fill(&self, options: &Options) -> Result<&Arc<Organisation>, JobError> {
        let open = || async {
            let place = self.place.clone();
            let found = Organisation::open(&self.slug, place, options.zone.clone()).await?;
            Ok(Arc::new(found))
        };
        self.organisation.get_or_try_init(open).await
    }
}

/// A word for addresses: the last part of the desk's place, in lower-case letters, digits and hyphens.
fn slug(place: &Place) -> String {
    let shown = place.to_string();
    let shown = shown.split('?').next().unwrap_or_default();
    let last = shown.trim_end_matches('/').rsplit('/').next();
    let mut word = String::new();
    for letter in last.unwrap_or_default().to_lowercase().chars() {
        match letter {
            'a'..='z' | '0'..='9' => word.push(letter),
            _ if !word.is_empty() && !word.ends_with('-') => word.push('-'),
            _ => {}
        }
    }
    let word = word.trim_end_matches('-');
    match word {
        // What the server itself answers to.
        "" | "static" | "healthz" | "readyz" | "metrics" | "specimen" | "api" => "desk".to_owned(),
        word => word.chars().take(40).collect(),
    }
}

fn free_slug(wanted: &str, taken: &BTreeMap<String, Seat>) -> String {
    let mut slug = wanted.to_owned();
    let mut number = 2;
    while taken.contains_key(&slug) {
        slug = format!("{wanted}-{number}");
        number += 1;
    }
    slug
}
