#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use alnager_audit::model::Endpoint;
use expect_test::{Expect, expect};

use super::*;
use crate::asked::AskedColumn;

fn endpoint(protocol: &str) -> Endpoint {
    let text = format!("url = 'https://v.example/base/'\n{protocol}");
    crate::endpoint::tests::declared(&text)
}

fn inputs() -> Vec<Input> {
    let input = |name: &str, kind| Input {
        name: name.to_owned(),
        column: name.to_owned(),
        kind,
    };
    vec![
        input("age", InputKind::Number),
        input("job", InputKind::Text),
    ]
}

fn asked() -> Asked {
    Asked {
        n_rows: 3,
        columns: vec![
            AskedColumn::Numbers(vec![41.0, 0.5, f64::NAN]),
            AskedColumn::Texts(
                vec!["smith".to_owned(), "a \"b\"".to_owned()],
                vec![1, 2, 0],
            ),
        ],
    }
}

#[track_caller]
fn check_request(protocol: &str, inputs: &[Input], rows: &[usize], want: Expect) {
    let endpoint = endpoint(protocol);
    let seen = match Form::new(&endpoint, inputs)
        .and_then(|form| Ok(format!("{} {}", form.url, form.request(&asked(), rows)?)))
    {
        Ok(text) => text,
        Err(problem) => problem.to_string(),
    };
    want.assert_eq(&seen);
}

#[test]
fn rows_are_put_as_each_protocol_asks() {
    check_request(
        "protocol = 'mlflow'",
        &inputs(),
        &[0, 1, 2],
        expect![[
            r#"https://v.example/base/invocations {"dataframe_split":{"columns":["age","job"],"data":[[41,"smith"],[0.5,"a \"b\""],[null,null]]}}"#
        ]],
    );
    check_request(
        "protocol = 'kserve'\nmodel = 'm/1'",
        &inputs(),
        &[0, 1],
        expect![[
            r#"https://v.example/base/v2/models/m%2F1/infer {"inputs":[{"name":"age","shape":[2,1],"datatype":"FP64","data":[41,0.5]},{"name":"job","shape":[2,1],"datatype":"BYTES","data":["smith","a \"b\""]}]}"#
        ]],
    );
    check_request(
        "protocol = 'kserve'\nmodel = 'm'\ntensor = 'x'",
        &inputs()[..1],
        &[0, 1],
        expect![[
            r#"https://v.example/base/v2/models/m/infer {"inputs":[{"name":"x","shape":[2,1],"datatype":"FP64","data":[41,0.5]}]}"#
        ]],
    );
    check_request(
        "protocol = 'json'\nrequest = '{\"in\": \"{{rows}}\"}'",
        &inputs(),
        &[1, 2],
        expect![[
            r#"https://v.example/base/ {"in": [{"age":0.5,"job":"a \"b\""},{"age":null,"job":null}]}"#
        ]],
    );
    check_request(
        "protocol = 'json'\nrequest = '{\"q\": \"is {{age}} {{job}}?\", \"a\": {{age}}}'",
        &inputs(),
        &[1],
        expect![[r#"https://v.example/base/ {"q": "is 0.5 a \"b\"?", "a": 0.5}"#]],
    );
}

#[test]
fn what_cannot_be_put_is_said() {
    check_request(
        "protocol = 'kserve'\nmodel = 'm'",
        &inputs(),
        &[2],
        expect![
            "row 3 has no `age`, and this protocol cannot leave a number out; complete the data, or leave such rows out with `where`"
        ],
    );
    check_request(
        "protocol = 'kserve'\nmodel = 'm'\ntensor = 'x'",
        &inputs(),
        &[0],
        expect![
            "the input `job` holds texts, and the tensor `x` takes numbers; leave `tensor` out"
        ],
    );
    check_request(
        "protocol = 'json'\nrequest = '[{{agee}}]'",
        &inputs(),
        &[0],
        expect!["`request`: there is no input `agee`; did you mean `age`?"],
    );
    check_request(
        "protocol = 'mlflow'",
        &[],
        &[0],
        expect!["no input is declared, so there is nothing to ask"],
    );
}

#[test]
fn what_a_model_says_of_its_inputs_is_kept_to() {
    let endpoint = endpoint("protocol = 'kserve'\nmodel = 'm'");
    let inputs = inputs();
    let mut form = Form::new(&endpoint, &inputs).unwrap();
    assert_eq!(
        form.described_at(),
        Some("https://v.example/base/v2/models/m")
    );
    form.described(b"not JSON").unwrap();
    let said = r#"{"inputs":[{"name":"age","datatype":"FP32","shape":[-1]},{"name":"job","datatype":"BYTES","shape":[-1,1,1]}]}"#;
    form.described(said.as_bytes()).unwrap();
    let seen = form.request(&asked(), &[0]).unwrap();
    expect![[r#"{"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[41]},{"name":"job","shape":[1,1,1],"datatype":"BYTES","data":["smith"]}]}"#]]
        .assert_eq(&seen);
    let error = form
        .described(said.replace("\"age\"", "\"years\"").as_bytes())
        .unwrap_err();
    expect!["the model has no input `age`; it has `years`, `job`"].assert_eq(&error.to_string());
}

#[track_caller]
fn check_answer(protocol: &str, body: &str, n_rows: usize, want: Expect) {
    let endpoint = endpoint(protocol);
    let inputs = inputs();
    let form = Form::new(&endpoint, &inputs).unwrap();
    let seen = match form.read(body.as_bytes(), n_rows) {
        Ok(said) => {
            let answers: Vec<String> = said
                .answers
                .iter()
                .map(|answer| format!("{answer:?}"))
                .collect();
            format!("{} version {:?}", answers.join(" "), said.version)
        }
        Err(reason) => reason.to_string(),
    };
    want.assert_eq(&seen);
}

const MLFLOW: &str = "protocol = 'mlflow'";
const KSERVE: &str = "protocol = 'kserve'\nmodel = 'm'";
const JSON: &str = "protocol = 'json'\nrequest = '{{rows}}'\nanswers = '/out'\nanswer = '/p'\nversion_at = '/meta/v'";

#[test]
fn answers_are_read_as_each_protocol_gives_them() {
    check_answer(
        MLFLOW,
        r#"{"predictions":[0.25,1]}"#,
        2,
        expect!["Number(0.25) Number(1.0) version None"],
    );
    check_answer(
        MLFLOW,
        r#"{"predictions":["yes",true]}"#,
        2,
        expect![[r#"Text("yes") Text("true") version None"#]],
    );
    check_answer(
        "protocol = 'mlflow'\nanswer = '/1'",
        r#"{"predictions":[[0.75,0.25],[0.5,0.5]]}"#,
        2,
        expect!["Number(0.25) Number(0.5) version None"],
    );
    check_answer(
        KSERVE,
        r#"{"model_name":"m","model_version":"7","outputs":[{"name":"p","shape":[2,1],"datatype":"FP32","data":[0.25,0.5]}]}"#,
        2,
        expect![[r#"Number(0.25) Number(0.5) version Some("7")"#]],
    );
    check_answer(
        "protocol = 'kserve'\nmodel = 'm'\noutput = 'p'\nat = 1",
        r#"{"outputs":[{"name":"l","shape":[2],"data":[1,0]},{"name":"p","shape":[2,2],"data":[[0.75,0.25],[0.5,0.125]]}]}"#,
        2,
        expect!["Number(0.25) Number(0.125) version None"],
    );
    check_answer(
        JSON,
        r#"{"out":[{"p":1e-3},{"p":-0.0}],"meta":{"v":3}}"#,
        2,
        expect![[r#"Number(0.001) Number(-0.0) version Some("3")"#]],
    );
    check_answer(
        "protocol = 'json'\nrequest = '[{{age}}]'\nanswers = '/a'",
        r#"{"a":"no"}"#,
        1,
        expect![[r#"Text("no") version None"#]],
    );
}

#[test]
fn a_malformed_answer_is_said_without_repeating_it() {
    check_answer(
        MLFLOW,
        r#"{"predictions":[0.25,NaN]}"#,
        2,
        expect!["an answer cannot be read: it is not JSON (line 1, column 22)"],
    );
    check_answer(
        MLFLOW,
        r#"{"predictions":[0.25"#,
        2,
        expect!["an answer cannot be read: it is not JSON (line 1, column 20)"],
    );
    check_answer(
        MLFLOW,
        r#"{"predictions":[1e999]}"#,
        1,
        expect!["an answer cannot be read: it is not JSON (line 1, column 21)"],
    );
    check_answer(
        MLFLOW,
        r#"{"predictions":[1]}"#,
        2,
        expect!["an answer cannot be read: it has 1 answers to 2 rows"],
    );
    check_answer(
        MLFLOW,
        r#"{"predictions":[1,null]}"#,
        2,
        expect!["an answer cannot be read: an answer is null; a number or a short text is needed"],
    );
    check_answer(
        MLFLOW,
        r#"{"error":"x"}"#,
        2,
        expect!["an answer cannot be read: it has nothing at `/predictions`"],
    );
    check_answer(
        JSON,
        r#"{"out":[{"q":1}]}"#,
        1,
        expect!["an answer cannot be read: answer 1 has nothing at `/p`"],
    );
    check_answer(
        JSON,
        r#"{"out":{"p":1}}"#,
        1,
        expect!["an answer cannot be read: what it has at `/out` is no list"],
    );
    check_answer(
        KSERVE,
        r#"{"outputs":[{"shape":[2,2],"data":[1,2,3,4]}]}"#,
        2,
        expect![
            "an answer cannot be read: a row of the output has 2 values; say with `at` which one is the answer"
        ],
    );
    check_answer(
        KSERVE,
        r#"{"outputs":[{"shape":[2,1],"data":[1]}]}"#,
        2,
        expect!["an answer cannot be read: an output of shape [2, 1] has 1 values"],
    );
    check_answer(
        KSERVE,
        r#"{"outputs":[{"shape":[3],"data":[1,2,3]}]}"#,
        2,
        expect!["an answer cannot be read: it has 3 answers to 2 rows"],
    );
    check_answer(
        KSERVE,
        r#"{"outputs":[]}"#,
        2,
        expect!["an answer cannot be read: `outputs` is empty"],
    );
    let long = format!(r#"{{"predictions":["{}"]}}"#, "x".repeat(1001));
    check_answer(
        MLFLOW,
        &long,
        1,
        expect![
            "an answer cannot be read: an answer is a long text; a number or a short text is needed"
        ],
    );
}
