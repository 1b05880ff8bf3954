#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

const AUDIT: &str = "
name = 'approval'
data = 'data.csv'
decision = { column = 'score', at_least = 0.5, favourable = 'at_least' }
attribute = [{ column = 'sex', characteristic = 'sex' }]
";

fn read(model: &str) -> Result<Audit, String> {
    read_with("", model)
}

fn read_with(more: &str, model: &str) -> Result<Audit, String> {
    let text = format!("{AUDIT}\n{more}\n[model]\n{model}");
    let node = alnager_law::read::read("system.toml", &text).unwrap();
    Audit::read(&node).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(model: &str, problem: &str) {
    let error = read(model).unwrap_err();
    assert!(error.contains(problem), "{error}");
    assert!(error.contains("system.toml, line "), "{error}");
}

const ONNX: &str = "gives = 'score'\ninputs = ['age', 'income']\nonnx = 'scorer.onnx'\n";

#[test]
fn a_file_and_its_inputs_are_read() {
    let text = "gives = 'score'\ninputs = ['age', { column = 'branch', kind = 'text' }, { name = 'income', column = 'eur' }]\n\
                onnx = 'scorer.onnx'\noutput = 'probabilities'\nat = 1";
    let model = read(text).unwrap().model.unwrap();
    let input = |name: &str, column: &str, kind| Input {
        name: name.to_owned(),
        column: column.to_owned(),
        kind,
    };
    assert_eq!(
        model.inputs,
        [
            input("age", "age", InputKind::Number),
            input("branch", "branch", InputKind::Text),
            input("income", "eur", InputKind::Number),
        ]
    );
    let onnx = Onnx {
        file: "scorer.onnx".to_owned(),
        output: Some("probabilities".to_owned()),
        at: Some(1),
    };
    assert_eq!(model.by, ModelBy::Onnx(onnx));
}

#[test]
fn an_audit_without_a_model_is_written_as_before() {
    let node = alnager_law::read::read("system.toml", AUDIT).unwrap();
    let audit = Audit::read(&node).unwrap();
    assert!(!serde_json::to_string(&audit).unwrap().contains("model"));
    let with = read(ONNX).unwrap();
    let text = serde_json::to_string(&with).unwrap();
    assert_eq!(serde_json::from_str::<Audit>(&text).unwrap(), with);
}

#[test]
fn an_answer_has_one_part_to_play() {
    let with = |more: &str, gives: &str| {
        let model = ONNX.replace("'score'", &format!("'{gives}'"));
        read_with(more, &model).map(|_| ()).map_err(|error| {
            assert!(error.contains("field `model`"), "{error}");
            error
        })
    };
    assert_eq!(with("", "score"), Ok(()));
    for (more, gives, problem) in [
        ("", "sex", "neither the decision nor the score"),
        ("", "age", "neither the decision nor the score"),
        ("strata = 'score'", "score", "also the stratum"),
        (
            "label = { column = 'score', positive = '1' }",
            "score",
            "also the outcome",
        ),
        ("weight = 'score'", "score", "also the weight"),
        (
            "where = 'score > 0.2'",
            "score",
            "leave it out of the condition",
        ),
        (
            "derive = [{ column = 'band', from = 'score', bins = [0.5] }]\nperiod = 'band'",
            "score",
            "also the period",
        ),
        (
            "derive = [{ column = 'score', from = 'raw', at_least = 0.5 }]",
            "score",
            "rename one",
        ),
    ] {
        let error = with(more, gives).unwrap_err();
        assert!(error.contains(problem), "{error}");
    }
    // What the decision is derived from.
    let derived =
        "derive = [{ column = 'score', from = 'raw', labels = { a = '0.7', b = '0.1' } }]";
    assert_eq!(with(derived, "raw"), Ok(()));
    let error = read("gives = 'score'\ninputs = ['score']\nonnx = 'x.onnx'").unwrap_err();
    assert!(error.contains("also the input"), "{error}");
}

#[test]
fn what_is_wrong_with_a_model_is_named() {
    refused(
        "gives = 'score'\ninputs = []\nonnx = 'x'",
        "at least one input",
    );
    refused(
        "gives = 'score'\ninputs = ['a', 'a']\nonnx = 'x'",
        "two inputs are called `a`",
    );
    refused("gives = 'score'\ninputs = ['a']", "one place");
    refused("gives = 'score'\nonnx = 'x'", "`inputs` is missing");
    refused("inputs = ['a']\nonnx = 'x'", "`gives` is missing");
    refused(
        "gives = 'score'\ninputs = [{ column = 'a', kind = 'txt' }]\nonnx = 'x'",
        "`txt`",
    );
    refused(
        "gives = 'score'\ninputs = ['a']\nonnx = 'x'\nat = -1",
        "lies outside",
    );
    refused(
        "gives = 'score'\ninputs = ['a']\nonx = 'x'",
        "did you mean `onnx`",
    );
    refused("gives = 'score'\ninputs = [7]\nonnx = 'x'", "table");
}

fn endpoint(more: &str) -> String {
    format!("gives = 'score'\ninputs = ['age', 'income']\n[model.endpoint]\n{more}")
}

fn read_endpoint(more: &str) -> Endpoint {
    match read(&endpoint(more)).unwrap().model.unwrap().by {
        ModelBy::Endpoint(endpoint) => *endpoint,
        ModelBy::Onnx(_) => panic!("an endpoint was declared"),
    }
}

#[test]
fn an_endpoint_has_sensible_settings_unless_told_otherwise() {
    let plain = read_endpoint("url = 'https://scorer.example/invocations'\nprotocol = 'mlflow'");
    assert_eq!(
        plain,
        Endpoint {
            url: "https://scorer.example/invocations".to_owned(),
            protocol: Protocol::Mlflow {
                answer: String::new()
            },
            version: None,
            auth: None,
            batch: 100,
            concurrency: 4,
            per_second: None,
            timeout_s: 30.0,
            retries: 5,
            canaries: 5,
        }
    );
    let full = read_endpoint(
        "url = 'http://127.0.0.1:8080/v1?verbose=1'\nprotocol = 'kserve'\nmodel = 'credit'\noutput = 'p'\nat = 1\nversion = '3'\n\
         auth = { env = 'SCORER_TOKEN' }\nbatch = 7\nconcurrency = 2\nper_second = 2.5\ntimeout_s = 5\nretries = 0\ncanaries = 0",
    );
    assert_eq!(
        full.auth,
        Some(Auth {
            header: "Authorization".to_owned(),
            prefix: "Bearer ".to_owned(),
            secret: Secret::Env("SCORER_TOKEN".to_owned()),
        })
    );
    assert_eq!(
        (full.batch, full.retries, full.per_second),
        (7, 0, Some(2.5))
    );
    let one = read_endpoint(
        "url = 'https://v.example'\nprotocol = 'json'\nrequest = '{\"a\": {{age}}, \"i\": {{income}}}'\nanswers = '/score'\n\
         auth = { header = 'X-Key', file = 'key.txt' }",
    );
    assert_eq!(one.batch, 1);
    assert_eq!(one.auth.unwrap().prefix, "");
    let many = read_endpoint(
        "url = 'https://v.example'\nprotocol = 'json'\nrequest = '{\"rows\": {{rows}}}'\nanswers = '/out'\nanswer = '/p'\n\
         version_at = '/version'",
    );
    assert_eq!(many.batch, 100);
}

#[test]
fn what_is_wrong_with_an_endpoint_is_named() {
    let wrong = |more: &str, problem: &str| refused(&endpoint(more), problem);
    let url = "url = 'https://v.example'\n";
    wrong(url, "`protocol` is missing");
    wrong("protocol = 'mlflow'", "`url` is missing");
    for (field, problem) in [
        ("protocol = 'grpc'", "`grpc` is not a valid value"),
        ("protocol = 'kserve'", "`model` is missing"),
        ("protocol = 'mlflow'\nmodel = 'x'", "no field `model`"),
        ("protocol = 'mlflow'\nanswer = 'p'", "write `/p`"),
        ("protocol = 'mlflow'\nbatch = 0", "lies outside 1 to"),
        (
            "protocol = 'mlflow'\nconcurrency = 65",
            "lies outside 1 to 64",
        ),
        ("protocol = 'mlflow'\ntimeout_s = 0", "lies outside"),
        ("protocol = 'mlflow'\nper_second = 0", "lies outside"),
        (
            "protocol = 'mlflow'\nauth = { token = 's3cr3t' }",
            "no field `token`",
        ),
        (
            "protocol = 'mlflow'\nauth = { prefix = 'x' }",
            "never written here",
        ),
        (
            "protocol = 'mlflow'\nauth = { env = 'A=b' }",
            "never its value",
        ),
        (
            "protocol = 'mlflow'\nauth = { header = 'a b', env = 'A' }",
            "HTTP header",
        ),
        (
            "protocol = 'json'\nrequest = '{}'",
            "says nothing of the row",
        ),
        (
            "protocol = 'json'\nrequest = '{\"a\": {{agee}}}'",
            "nor an input",
        ),
        (
            "protocol = 'json'\nrequest = '{\"a\": {{age}'",
            "not closed",
        ),
        ("protocol = 'json'\nrequest = '{\"a\": {{age}}'", "not JSON"),
        (
            "protocol = 'json'\nrequest = '[{{rows}}, {{age}}]'",
            "leave `{{age}}` out",
        ),
        (
            "protocol = 'json'\nrequest = '[{{age}}]'\nbatch = 2",
            "leave `batch` out",
        ),
    ] {
        wrong(&format!("{url}{field}"), problem);
    }
    refused(
        "gives = 'score'\ninputs = ['age']\nat = 1\n[model.endpoint]\nurl = 'https://v.example'\nprotocol = 'mlflow'",
        "stands in `[audit.model.endpoint]`",
    );
}

#[test]
fn an_address_holds_no_secret() {
    for right in [
        "https://v.example",
        "HTTP://127.0.0.1:8080/v2/models/m/infer?trace=1&keyboard=de",
        "https://[::1]:80/x",
    ] {
        assert_eq!(check_url(right), Ok(()), "{right}");
    }
    for (wrong, problem) in [
        ("ftp://v.example", "begins with"),
        ("v.example", "begins with"),
        ("https://", "no host"),
        ("https://:80/", "no host"),
        ("https://u:p@v.example/", "user and password"),
        ("https://v.example/?api_key=abc", "looks like a secret"),
        (
            "https://v.example/?a=1&accessToken=abc",
            "looks like a secret",
        ),
        ("https://v.example/?sig=abc", "looks like a secret"),
        ("https://v.example/#x", "behind `#`"),
        ("https://v.example/a b", "white space"),
    ] {
        let error = check_url(wrong).unwrap_err();
        assert!(error.contains(problem), "{wrong}: {error}");
    }
}
