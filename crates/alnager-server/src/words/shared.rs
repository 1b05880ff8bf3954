//! The texts that several rooms share.

/// The texts that several rooms share.
#[derive(Debug)]
#[expect(
    missing_docs,
    reason = "a text's name says what it is for, and its value what it is"
)]
pub struct Shared {
    pub pages: &'static str,
    pub page: &'static str,
    pub of: &'static str,
    pub earlier: &'static str,
    pub later: &'static str,
    pub search: &'static str,
    pub all: &'static str,
    pub entry: &'static str,
    pub none_match: &'static str,
    pub comments: &'static str,
    pub no_comments: &'static str,
    pub comment: &'static str,
    pub comment_note: &'static str,
    pub comment_send: &'static str,
    pub views: &'static str,
    pub views_none: &'static str,
    pub view_name: &'static str,
    pub view_save: &'static str,
    pub view_drop: &'static str,
    pub view_unnamed: &'static str,
}

/// English.
pub const EN: Shared = Shared {
    pages: "Pages of the list",
    page: "Page",
    of: "of",
    earlier: "← earlier page",
    later: "later page →",
    search: "Search",
    all: "all",
    entry: "entry",
    none_match: "Nothing fits what you chose. Take a filter away, or search for less.",
    comments: "Comments",
    no_comments: "Nobody has said anything yet.",
    comment: "Your comment",
    comment_note: "It stays in the journal. Name nobody in it, so that a person can be erased.",
    comment_send: "Comment",
    views: "Your saved views",
    views_none: "Filter and sort as you need it, then keep it here under a name.",
    view_name: "Name of this view",
    view_save: "Save the view",
    view_drop: "Drop",
    view_unnamed: "give the view a name of 1 to 60 characters",
};
