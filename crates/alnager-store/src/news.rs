//! Hearing of what others enter.

use std::time::Duration;

use sqlx::postgres::PgListener;

use crate::database::Address;
use crate::desk::Desk;
use crate::schema::CHANNEL;

/// A source of news about the journal: PostgreSQL's notifications, or the passing of time.
pub(crate) struct News {
    listener: Option<PgListener>,
}

impl News {
    /// Waits until others may have entered something, at most `longest`.
    pub(crate) async fn wait(&mut self, longest: Duration) {
        match &mut self.listener {
            // A notification can be lost with its connection, so time passes here too, more slowly.
            Some(listener) => {
                let heard = tokio::time::timeout(longest * 10, listener.recv()).await;
                if let Ok(Err(_)) = heard {
                    // The listener connects again by itself; not at once in a circle.
                    tokio::time::sleep(longest).await;
                }
            }
            None => tokio::time::sleep(longest).await,
        }
    }
}

impl Desk {
    /// A source of news about this desk's journal.
    pub(crate) async fn news(&self) -> News {
        let Address::Server(server) = self.place.journal() else {
            return News { listener: None };
        };
        let options = server.options.clone();
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(1)
            .connect_lazy_with(options);
        let listener = match PgListener::connect_with(&pool).await {
            Ok(mut listener) => listener.listen(CHANNEL).await.is_ok().then_some(listener),
            Err(_) => None,
        };
        News { listener }
    }
}
