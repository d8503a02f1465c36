//! What is kept secret for a time. It comes encrypted; the key is not here.

use std::collections::BTreeSet;

use sqlx::{Sqlite, Transaction};

use crate::sqlite::{Store, StoreError, engine};

impl Store {
    /// The ids of what is kept.
    pub async fn sealed(&self) -> Result<BTreeSet<String>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT id FROM sealed")
            .fetch_all(&self.pool)
            .await
            .map_err(engine("list what is sealed"))?;
        Ok(rows.into_iter().map(|it| it.0).collect())
    }

    /// What is kept under this id, encrypted.
    pub async fn sealed_bytes(&self, id: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row: Option<(Vec<u8>,)> = sqlx::query_as("SELECT bytes FROM sealed WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(engine("read what is sealed"))?;
        Ok(row.map(|it| it.0))
    }

    /// Keeps these no longer: the engine overwrites what it deletes.
    pub async fn forget(&self, ids: &[String]) -> Result<(), StoreError> {
        const DO: &str = "forget what is sealed";
        let mut tx = self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(engine(DO))?;
        forget(&mut tx, ids).await?;
        tx.commit().await.map_err(engine(DO))
    }
}

pub(crate) async fn keep(
    tx: &mut Transaction<'_, Sqlite>,
    sealed: &[(String, Vec<u8>)],
) -> Result<(), StoreError> {
    for (id, bytes) in sealed {
        sqlx::query("INSERT OR REPLACE INTO sealed (id, bytes) VALUES (?, ?)")
            .bind(id.as_str())
            .bind(bytes.as_slice())
            .execute(&mut **tx)
            .await
            .map_err(engine("keep what is sealed"))?;
    }
    Ok(())
}

pub(crate) async fn forget(
    tx: &mut Transaction<'_, Sqlite>,
    ids: &[String],
) -> Result<(), StoreError> {
    for id in ids {
        sqlx::query("DELETE FROM sealed WHERE id = ?")
            .bind(id.as_str())
            .execute(&mut **tx)
            .await
            .map_err(engine("forget what is sealed"))?;
    }
    Ok(())
}
