//! Jobs on a desk that a server keeps: measured here, judged and sealed there. The data never leave this machine; counts, the declaration
//! and the documents offered as evidence do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use alnager_office::declaration::Beside;
use alnager_office::gate::{Gate, Verdict};
use alnager_probe::Progress;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use crate::acting::{Flags, new_ids};
use crate::error::JobError;
use crate::files::{EVIDENCE_BYTES_MAX, inside, read_bytes, read_text, write_whole};
use crate::law::watch::http::escaped;
use crate::review::{
    DOSSIER, REPORT, Request, count, declaration_file, folder, folder_for, necessity_records,
    place_for, unwritten,
};

/// Whoever asks a server: a person's token, and the organisation's address.
pub struct Remote {
    base: String,
    token: String,
    agent: Agent,
}

/// What a server answered about a system.
pub struct Answer {
    /// The verdict.
    pub verdict: Verdict,
    /// For programs: `docs/formats/review.md`.
    pub review: Value,
    /// For people.
    pub words: String,
    /// For a CI.
    pub junit: String,
    /// How the decision on going live stands, in one word.
    pub launch: String,
    /// Whether the system may be live.
    pub may_be_live: bool,
    report: String,
}

/// A review that a server sealed.
pub struct Sealed {
    /// What it found.
    pub answer: Answer,
    /// The report on disk.
    pub report: PathBuf,
    /// The dossier on disk; `None` where the token may not take one.
    pub dossier: Option<PathBuf>,
    /// The receipt in one line.
    pub receipt: String,
}

/// How long a request may take: a review is judged meanwhile.
const PATIENCE: Duration = Duration::from_mins(5);

/// How often a request is made: a connection breaks, a server is started anew. The key of a request makes the same one entry.
const N_TRIES: u32 = 4;

/// The first pause between two of them; it doubles.
const PAUSE: Duration = Duration::from_millis(500);

/// Most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 30;

/// Whether a desk named on the command line is kept by a server.
pub fn is_address(desk: &str) -> bool {
    desk.starts_with("https://") || desk.starts_with("http://")
}

impl Remote {
    /// Whoever asks at an address such as `https://alnager.example.org/example-group`. `certificates`: what a private authority certifies
    /// with, PEM; without it the public authorities count. `environment` gives the proxy, by the usual names.
    pub fn new(
        address: &str,
        token: &str,
        certificates: Option<&[u8]>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, JobError> {
        let base = address.trim_end_matches('/');
        let wrong = |why: &str| JobError::Input(format!("--desk: `{base}` {why}"));
        let uri: ureq::http::Uri = base
            .parse()
            .map_err(|_| wrong("is no address; write one such as https://host/organisation"))?;
        if uri.path().trim_matches('/').is_empty() || uri.query().is_some() {
            return Err(wrong(
                "names no organisation; write its address as the browser shows it, such as https://host/organisation",
            ));
        }
        let host = uri.host().unwrap_or_default();
        let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
        if uri.scheme_str() != Some("https") && !is_here {
            return Err(wrong(
                "would send the token in the clear; write https://, or ask on the server itself",
            ));
        }
        let token = token.trim();
        if token.is_empty() || !token.chars().all(|char| char.is_ascii_graphic()) {
            return Err(JobError::Input(
                "the token is no token; make one on the desk's Account page, and give it with --token or ALNAGER_TOKEN".to_owned(),
            ));
        }
        let proxy = alnager_probe::http::proxy(base, environment).map_err(|error| {
            JobError::Input(format!("{}: no address of a proxy", error.variable))
        })?;
        let mut config = Agent::config_builder()
            .proxy(proxy)
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("alnager/", env!("CARGO_PKG_VERSION")));
        if let Some(certificates) = certificates {
            config = config.tls_config(trusting(certificates)?);
        }
        Ok(Remote {
            base: format!("{base}/api/v1"),
            token: token.to_owned(),
            agent: Agent::new_with_config(config.build()),
        })
    }

    /// Reviews a system: measures it here, and has the server judge and seal what was counted.
    pub async fn review(
        &self,
        request: &Request,
        flags: &Flags,
        progress: &dyn Fn(Progress),
    ) -> Result<Sealed, JobError> {
        alone(flags)?;
        let file = declaration_file(&request.system)?;
        let text = read_text(&file)?;
        let beside = Beside::parse(&file.display().to_string(), &text)?;
        let folder = folder(&file);
        necessity_records(folder, &file, &beside.audits)?;
        let documents = documents(folder, &beside)?;
        // Whatever the server refuses is refused before the measuring, which may take long.
        let url = self.url("/reviews/plan");
        let plan = json!({ "declaration": text }).to_string();
        let sent = || self.agent.post(&url).content_type("application/json");
        self.ask(&url, || self.signed(sent()).send(plan.as_bytes()))?;
        place_for(request)?;

        let mut warnings = Vec::new();
        let mut measures = Vec::new();
        for audit in &beside.audits {
            let found = count(audit, folder, &mut warnings, progress)?;
            let mut sent = Map::new();
            sent.insert("audit".to_owned(), json!(found.audit));
            sent.insert("data".to_owned(), json!(found.data));
            sent.insert("counts".to_owned(), json!(found.table.to_csv()));
            if let Some(scores) = &found.scores {
                sent.insert("scores".to_owned(), json!(scores.to_csv()));
            }
            if let Some(samples) = &found.samples {
                sent.insert("samples".to_owned(), json!(samples.to_csv()));
            }
            measures.push(Value::Object(sent));
        }
        let body = json!({
            "declaration": text,
            "gate": word(request.gate),
            "at": flags.at,
            "known": flags.known,
            "evidence": documents,
            "measures": measures,
            "warnings": warnings,
        });
        let body = body.to_string();
        let key = new_ids(jiff::Timestamp::now(), 1)?[0].to_string();
        let url = self.url("/reviews");
        let sent = || {
            let post = self.agent.post(&url).header("idempotency-key", &key);
            post.content_type("application/json")
        };
        let written = self.ask_json(&url, || self.signed(sent()).send(body.as_bytes()))?;
        self.put_down(request, &written)
    }

    /// How a system of the server's desk stands now, on what was measured last.
    pub fn gate(&self, system: &str, gate: Gate, flags: &Flags) -> Result<Answer, JobError> {
        alone(flags)?;
        if flags.at.is_some() || flags.known.is_some() {
            return Err(JobError::Input(
                "a server judges for the day of going live, or today; leave out --at and --known"
                    .to_owned(),
            ));
        }
        let path = format!("/systems/{}/review?gate={}", escaped(system), word(gate));
        let url = self.url(&path);
        let answer = self.ask_json(&url, || self.signed(self.agent.get(&url)).call())?;
        Answer::read(&answer).ok_or_else(|| foreign(&url))
    }

    /// Writes report and dossier. The review is sealed by then.
    fn put_down(&self, request: &Request, written: &Value) -> Result<Sealed, JobError> {
        let url = self.url("/reviews");
        let answer = Answer::read(&written["made"]).ok_or_else(|| foreign(&url))?;
        let receipt = &written["receipt"];
        let journal = &answer.review["journal"];
        let (entries, system) = (
            receipt["entries"].as_array(),
            answer.review["system"].as_str(),
        );
        let index = entries.and_then(|entries| entries.last()?.as_u64());
        let (Some(index), Some(system)) = (index, system) else {
            return Err(foreign(&url));
        };
        let folder = folder_for(request, system, index);
        let sealed = |error| unwritten(error, index);
        let report = folder.join(REPORT);
        write_whole(&report, answer.report.as_bytes()).map_err(sealed)?;
        let url = self.url(&format!("/dossiers/{}", escaped(system)));
        let dossier = match self.ask(&url, || self.signed(self.agent.get(&url)).call()) {
            Ok(bytes) => {
                let path = folder.join(DOSSIER);
                write_whole(&path, &bytes).map_err(sealed)?;
                Some(path)
            }
            Err(Asked::Refused(403, _)) => None,
            Err(error) => {
                let error = JobError::from(error);
                return Err(JobError::Internal(format!(
                    "the review is sealed as entry {index}, but its dossier did not come: {error}"
                )));
            }
        };
        let text = |name: &str| journal[name].as_str().unwrap_or_default().to_owned();
        Ok(Sealed {
            receipt: format!(
                "sealed as entry {index} of {}, root {}",
                text("origin"),
                text("root")
            ),
            answer,
            report,
            dossier,
        })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn signed<B>(&self, request: ureq::RequestBuilder<B>) -> ureq::RequestBuilder<B> {
        request
            .header("authorization", format!("Bearer {}", self.token))
            .header("accept", "application/json, */*")
    }

    /// Asks until there is an answer, or no use in asking again.
    fn ask(&self, url: &str, send: impl Fn() -> Sent) -> Result<Vec<u8>, Asked> {
        let mut pause = PAUSE;
        for attempt in 1.. {
            let found = answered(send());
            match found {
                Err(Asked::Later(_) | Asked::Lost(_)) if attempt < N_TRIES => {
                    std::thread::sleep(pause);
                    pause *= 2;
                }
                Err(Asked::Lost(error)) => {
                    return Err(Asked::Later(format!("`{url}` does not answer: {error}")));
                }
                found => return found,
            }
        }
        Err(Asked::Later(String::new()))
    }

    fn ask_json(&self, url: &str, send: impl Fn() -> Sent) -> Result<Value, JobError> {
        let bytes = self.ask(url, send)?;
        serde_json::from_slice(&bytes).map_err(|_| foreign(url))
    }
}

type Sent = Result<ureq::http::Response<ureq::Body>, ureq::Error>;

/// Why there is no answer.
enum Asked {
    /// The connection broke.
    Lost(ureq::Error),
    /// The server cannot answer now.
    Later(String),
    /// The server refused: the status, and why.
    Refused(u16, String),
}

impl From<Asked> for JobError {
    fn from(asked: Asked) -> JobError {
        match asked {
            Asked::Lost(error) => JobError::Internal(format!("no answer: {error}")),
            Asked::Later(words) => JobError::Internal(format!("{words}; try again later")),
            Asked::Refused(_, words) => JobError::Input(words),
        }
    }
}

fn answered(sent: Sent) -> Result<Vec<u8>, Asked> {
    let mut response = sent.map_err(Asked::Lost)?;
    let status = response.status().as_u16();
    let body = response.body_mut().with_config();
    let body = body.limit(ANSWER_BYTES_MAX).read_to_vec();
    let body = body.map_err(Asked::Lost)?;
    match status {
        200..=299 => Ok(body),
        429 | 500.. => Err(Asked::Later(problem(status, &body))),
        _ => Err(Asked::Refused(status, problem(status, &body))),
    }
}

/// What a server says is wrong. Source: RFC 9457.
fn problem(status: u16, body: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(body).unwrap_or_default();
    let detail = problem["detail"].as_str().or(problem["title"].as_str());
    match (status, detail) {
        (401, _) => "the server does not know this token, or it has run out; make a new one on the desk's Account page".to_owned(),
        (_, Some(detail)) => format!("the server refuses: {detail}"),
        (404, None) => "there is no desk at this address; write the organisation's address as the browser shows it".to_owned(),
        (_, None) => format!("the server answers {status}, and not as Alnager does; check the address"),
    }
}

impl Answer {
    fn read(answer: &Value) -> Option<Answer> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        let verdicts = [Verdict::Clear, Verdict::Hold, Verdict::Undecided];
        let word = answer["verdict"].as_str()?;
        Some(Answer {
            verdict: verdicts.into_iter().find(|one| one.word() == word)?,
            review: answer.get("review")?.clone(),
            words: text("words")?,
            junit: text("junit")?,
            report: text("report")?,
            launch: answer["launch"]["state"].as_str()?.to_owned(),
            may_be_live: answer["launch"]["may_be_live"].as_bool()?,
        })
    }
}

fn foreign(url: &str) -> JobError {
    JobError::Internal(format!(
        "`{url}` answers in a form that this version does not know; use the version of the server"
    ))
}

/// The documents offered as evidence, as the server takes them.
fn documents(folder: &Path, beside: &Beside) -> Result<Vec<Value>, JobError> {
    let one = |(file, note): &(String, Option<String>)| {
        let bytes = read_bytes(&inside(folder, file)?, EVIDENCE_BYTES_MAX, "cannot be read")?;
        let note = match note {
            Some(note) => Some(read_text(&inside(folder, note)?)?),
            None => None,
        };
        Ok(json!({ "file": file, "document": STANDARD.encode(bytes), "signature": note }))
    };
    beside.documents.iter().map(one).collect()
}

/// A server knows who acts, and looks back by itself.
fn alone(flags: &Flags) -> Result<(), JobError> {
    let wrong = match flags {
        Flags { actor: Some(_), .. } => "the token says who acts; leave out --as",
        Flags {
            recorded: Some(_), ..
        } => "a server is asked for what its desk says now; leave out --recorded",
        _ => return Ok(()),
    };
    Err(JobError::Input(wrong.to_owned()))
}

fn word(gate: Gate) -> &'static str {
    match gate {
        Gate::Launch => "launch",
        Gate::Tests => "tests",
    }
}

fn trusting(pem: &[u8]) -> Result<TlsConfig, JobError> {
    let wrong = || {
        JobError::Input(
            "ALNAGER_CA_FILE holds no certificate in PEM (-----BEGIN CERTIFICATE-----)".to_owned(),
        )
    };
    let mut roots = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|_| wrong())? {
            roots.push(certificate);
        }
    }
    match roots.is_empty() {
        true => Err(wrong()),
        false => Ok(TlsConfig::builder()
            .root_certs(RootCerts::new_with_certs(&roots))
            .build()),
    }
}

#[cfg(test)]
mod tests;
