"""Makes the models of the tests and what they answer, computed by onnxruntime.

    python -m venv venv && venv/bin/pip install onnx==1.* skl2onnx==1.20.* scikit-learn onnxruntime
    venv/bin/python make.py

Writes `*.onnx`, `rows.csv` (the inputs) and `answers.csv` (one column a model output) beside itself.
The answers of the network are computed by hand, in doubles.
"""

import csv
import pathlib

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC

import pandas as pd

HERE = pathlib.Path(__file__).parent
OPSET = {"": 17, "ai.onnx.ml": 3}
N_TRAIN, N_ROWS = 2000, 200

random = np.random.default_rng(20261130)


def people(n):
    return pd.DataFrame(
        {
            "age": random.integers(18, 80, n),
            "income": np.round(random.lognormal(7.5, 0.5, n), 2),
            "debt": np.round(random.gamma(2.0, 400.0, n), 1),
            "sex": random.choice(["Male", "Female"], n),
            "region": random.choice(["north", "south", "east, far"], n),
        }
    )


def good(frame):
    logit = (
        0.04 * (frame["age"] - 45)
        + 0.0006 * (frame["income"] - 1900)
        - 0.0012 * (frame["debt"] - 800)
        + 0.5 * (frame["sex"] == "Male")
        - 0.4 * (frame["region"] == "south")
    )
    return (random.random(len(frame)) < 1 / (1 + np.exp(-logit))).astype(np.int64)


train, rows = people(N_TRAIN), people(N_ROWS)
label = good(train)
NUMBERS = ["age", "income", "debt"]
x_train = train[NUMBERS].to_numpy(np.float32)
x_rows = rows[NUMBERS].to_numpy(np.float32)
# One missing number, which trees route and the imputer fills.
x_holes = x_rows.copy()
x_holes[3, 1] = np.nan
answers = {}


def save(name, model):
    model.doc_string = ""
    del model.metadata_props[:]
    onnx.save(model, HERE / f"{name}.onnx")


def ask(name, feed):
    session = ort.InferenceSession(str(HERE / f"{name}.onnx"))
    return session.run(None, feed)


def keep(name, values):
    answers[name] = [str(np.float32(v)) if isinstance(v, (float, np.floating)) else str(v) for v in values]


# Scaler, LinearClassifier, Normalizer; labels are whole numbers.
logit = make_pipeline(StandardScaler(), LogisticRegression()).fit(x_train, label)
save("logit", to_onnx(logit, x_train[:1], target_opset=OPSET, options={"zipmap": False}))
found = ask("logit", {"X": x_rows})
keep("logit.label", found[0])
keep("logit.score", found[1][:, 1])

# One input a column, texts among them, labels that are texts, and the default ZipMap.
columns = ColumnTransformer(
    [
        ("scaled", StandardScaler(), ["income", "debt"]),
        ("kept", "passthrough", ["age"]),
        ("coded", OneHotEncoder(handle_unknown="ignore", sparse_output=False), ["sex", "region"]),
    ]
)
words = np.where(label == 1, "yes", "no")
by_column = make_pipeline(columns, LogisticRegression(max_iter=2000)).fit(train, words)
TYPES = [
    ("age", Int64TensorType([None, 1])),
    ("income", FloatTensorType([None, 1])),
    ("debt", FloatTensorType([None, 1])),
    ("sex", StringTensorType([None, 1])),
    ("region", StringTensorType([None, 1])),
]
save("columns", to_onnx(by_column, initial_types=TYPES, target_opset=OPSET))
feed = {
    "age": rows[["age"]].to_numpy(np.int64),
    "income": rows[["income"]].to_numpy(np.float32),
    "debt": rows[["debt"]].to_numpy(np.float32),
    "sex": rows[["sex"]].to_numpy(object),
    "region": rows[["region"]].to_numpy(object),
}
found = ask("columns", feed)
keep("columns.label", found[0])
keep("columns.score", [row["yes"] for row in found[1]])

# The same with another intercept.
other = onnx.load(HERE / "columns.onnx")
for node in other.graph.node:
    for attribute in node.attribute:
        if node.op_type == "LinearClassifier" and attribute.name == "intercepts":
            attribute.floats[1] += 0.25
save("other", other)

# A tree ensemble of one weight a leaf, with base value and logistic link.
boosted = GradientBoostingClassifier(n_estimators=50, max_depth=4, random_state=1, min_samples_leaf=40)
boosted.fit(x_train, label)
save("boosted", to_onnx(boosted, x_train[:1], target_opset=OPSET, options={"zipmap": False}))
found = ask("boosted", {"X": x_rows})
keep("boosted.label", found[0])
keep("boosted.score", found[1][:, 1])

# A tree ensemble of one weight a leaf and class, labels that are texts.
forest = RandomForestClassifier(n_estimators=7, max_depth=3, random_state=2).fit(x_train, words)
save("forest", to_onnx(forest, x_train[:1], target_opset=OPSET, options={"zipmap": False}))
found = ask("forest", {"X": x_rows})
keep("forest.label", found[0])
keep("forest.score", found[1][:, 1])

# A tree ensemble that answers a number, behind an imputer.
value = train["income"].to_numpy() * 0.3 + train["age"].to_numpy() * 10
regress = make_pipeline(
    SimpleImputer(), RandomForestRegressor(n_estimators=5, max_depth=4, random_state=3)
).fit(x_train, value)
save("regress", to_onnx(regress, x_train[:1], target_opset=OPSET))
found = ask("regress", {"X": x_holes})
keep("regress.score", found[0][:, 0])

# A linear regression: its answer has one place a row.
linear = LinearRegression().fit(x_train, value)
save("linear", to_onnx(linear, x_train[:1], target_opset=OPSET))
keep("linear.score", ask("linear", {"X": x_rows})[0][:, 0])

# A network that takes doubles, in a batch of four rows: MatMul, Add, Sigmoid, one number a row.
weight = np.array([[0.03], [0.0004], [-0.0011]], np.float32)
bias = np.array([-1.0], np.float32)
graph = helper.make_graph(
    [
        helper.make_node("Cast", ["x"], ["short"], to=TensorProto.FLOAT),
        helper.make_node("MatMul", ["short", "w"], ["xw"]),
        helper.make_node("Add", ["xw", "b"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["p"]),
        helper.make_node("Squeeze", ["p", "axis"], ["score"]),
    ],
    "network",
    [helper.make_tensor_value_info("x", TensorProto.DOUBLE, [4, 3])],
    [helper.make_tensor_value_info("score", TensorProto.FLOAT, [4])],
    [
        numpy_helper.from_array(weight, "w"),
        numpy_helper.from_array(bias, "b"),
        numpy_helper.from_array(np.array([1], np.int64), "axis"),
    ],
)
network = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(network)
save("network", network)
x_doubles = rows[NUMBERS].to_numpy(np.float64)
answers["network.score"] = [repr(float(v)) for v in (1 / (1 + np.exp(-(x_doubles @ weight + bias))))[:, 0]]

# A Gemm with a softmax.
graph = helper.make_graph(
    [
        helper.make_node("Gemm", ["x", "w", "b"], ["z"], transB=1),
        helper.make_node("Softmax", ["z"], ["p"], axis=1),
    ],
    "gemm",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])],
    [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["batch", 3])],
    [
        numpy_helper.from_array(
            np.array([[0.01, 0.0001, 0.0], [0.0, 0.0002, 0.0003], [0.02, 0.0, -0.001]], np.float32), "w"
        ),
        numpy_helper.from_array(np.array([0.1, -0.2, 0.0], np.float32), "b"),
    ],
)
gemm = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(gemm)
save("gemm", gemm)
keep("gemm.score", ask("gemm", {"x": x_rows})[0][:, 2])

# Categories as whole numbers.
ordinal = make_pipeline(OrdinalEncoder(), RandomForestClassifier(n_estimators=3, max_depth=2, random_state=4))
ordinal.fit(train[["sex", "region"]], label)
save(
    "ordinal",
    to_onnx(
        ordinal,
        initial_types=[("sex", StringTensorType([None, 1])), ("region", StringTensorType([None, 1]))],
        target_opset=OPSET,
        options={"zipmap": False},
    ),
)
found = ask("ordinal", {"sex": feed["sex"], "region": feed["region"]})
keep("ordinal.score", found[1][:, 1])

# Answers that are no numbers: the logarithm of an age below 40 minus 40.
graph = helper.make_graph(
    [
        helper.make_node("Sub", ["age", "c"], ["d"]),
        helper.make_node("Log", ["d"], ["score"]),
    ],
    "not finite",
    [helper.make_tensor_value_info("age", TensorProto.FLOAT, ["n", 1])],
    [helper.make_tensor_value_info("score", TensorProto.FLOAT, ["n", 1])],
    [numpy_helper.from_array(np.array([[17.5]], np.float32), "c")],
)
save("logarithm", helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))

# An operator that is not provided for.
few = slice(0, 60)
vectors = SVC(kernel="linear", C=0.01).fit(x_train[few], label[few])
save("vectors", to_onnx(vectors, x_train[:1], target_opset=OPSET, options={"zipmap": False}))

rows.to_csv(HERE / "rows.csv", index=False)
with open(HERE / "answers.csv", "w", newline="") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(answers)
    writer.writerows(zip(*answers.values()))
