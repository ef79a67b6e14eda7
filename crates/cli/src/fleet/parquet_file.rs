//! Parquet files: rows are written by groups of them, so memory does not grow with their number.

use crate::fleet::column::{Cell, Column, ColumnKind, SCHEMA, Table, Values};
use luasnap_format::AnswerError;
use parquet::basic::{
    Compression, ConvertedType, Encoding, LogicalType, Repetition, TimeUnit, Type as Physical,
    ZstdLevel,
};
use parquet::column::writer::ColumnWriter;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use std::io::{self, Write};
use std::sync::Arc;

/// The most rows that are in memory. Engines read groups of about so many at once.
const GROUP_ROWS: usize = 122_880;
/// zstd's level: higher ones take longer and save little here.
const LEVEL: i32 = 3;

/// A file of a table that is being written.
pub struct ParquetFile<'a> {
    table: &'static Table,
    file: SerializedFileWriter<&'a mut (dyn Write + Send)>,
    /// By column.
    values: Vec<Values>,
    rows: usize,
    has_names: bool,
}

impl<'a> ParquetFile<'a> {
    /// Begins a file, with names or with null in their places.
    pub fn new(
        out: &'a mut (dyn Write + Send),
        table: &'static Table,
        has_names: bool,
    ) -> Result<ParquetFile<'a>, AnswerError> {
        let schema = schema(table).map_err(failed)?;
        let file = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(properties(table)?));
        Ok(ParquetFile {
            table,
            file: file.map_err(failed)?,
            values: table.columns.iter().map(|_| Values::default()).collect(),
            rows: 0,
            has_names,
        })
    }

    /// Adds a row, with a value for each column.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) -> Result<(), AnswerError> {
        assert_eq!(N, self.values.len(), "{}", self.table.name);
        for ((values, column), cell) in self.values.iter_mut().zip(self.table.columns).zip(cells) {
            values.push(match column.is_name && !self.has_names {
                true => Cell::Null,
                false => cell,
            });
        }
        self.rows += 1;
        match self.rows == GROUP_ROWS {
            true => self.write_rows(),
            false => Ok(()),
        }
    }

    /// Writes what is left, and the end of the file.
    pub fn finish(mut self) -> Result<(), AnswerError> {
        if self.rows > 0 {
            self.write_rows()?;
        }
        self.file.close().map(drop).map_err(failed)
    }

    fn write_rows(&mut self) -> Result<(), AnswerError> {
        let mut group = self.file.next_row_group().map_err(failed)?;
        for (column, values) in self.table.columns.iter().zip(&mut self.values) {
            // Labels are two columns of the file.
            let texts = match column.kind {
                ColumnKind::Labels => vec![&values.texts, &values.label_texts],
                _ => vec![&values.texts],
            };
            for texts in texts {
                let mut writer = group
                    .next_column()
                    .map_err(failed)?
                    .expect("the schema has this column");
                let definitions = match column.kind {
                    ColumnKind::Labels => Some(&values.definitions[..]),
                    _ => column.is_optional.then_some(&values.definitions[..]),
                };
                let repetitions = match column.kind {
                    ColumnKind::Labels => Some(&values.repetitions[..]),
                    _ => None,
                };
                let written = match writer.untyped() {
                    ColumnWriter::ByteArrayColumnWriter(writer) => {
                        writer.write_batch(texts, definitions, repetitions)
                    }
                    ColumnWriter::Int64ColumnWriter(writer) => {
                        writer.write_batch(&values.numbers, definitions, repetitions)
                    }
                    ColumnWriter::BoolColumnWriter(writer) => {
                        writer.write_batch(&values.flags, definitions, repetitions)
                    }
                    _ => unreachable!(),
                };
                written.map_err(failed)?;
                writer.close().map_err(failed)?;
            }
            values.clear();
        }
        self.rows = 0;
        group.close().map(drop).map_err(failed)
    }
}

fn schema(table: &Table) -> Result<Type, ParquetError> {
    let columns = table
        .columns
        .iter()
        .map(|column| field(column).map(Arc::new));
    Type::group_type_builder(table.name)
        .with_fields(columns.collect::<Result<_, _>>()?)
        .build()
}

fn field(column: &Column) -> Result<Type, ParquetError> {
    let repetition = match column.is_optional {
        true => Repetition::OPTIONAL,
        false => Repetition::REQUIRED,
    };
    let (physical, logical) = match column.kind {
        ColumnKind::Labels => return labels(column.name),
        ColumnKind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnKind::Number => (Physical::INT64, None),
        ColumnKind::Flag => (Physical::BOOLEAN, None),
        ColumnKind::Time => {
            let time = LogicalType::timestamp(true, TimeUnit::MILLIS);
            (Physical::INT64, Some(time))
        }
    };
    Type::primitive_type_builder(column.name, physical)
        .with_repetition(repetition)
        .with_logical_type(logical)
        .build()
}

/// Returns the type of a column of labels: a map of texts.
fn labels(name: &str) -> Result<Type, ParquetError> {
    let text = |name: &str| {
        Type::primitive_type_builder(name, Physical::BYTE_ARRAY)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(Some(LogicalType::String))
            .build()
            .map(Arc::new)
    };
    let entries = Type::group_type_builder("key_value")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![text("key")?, text("value")?])
        .build()?;
    Type::group_type_builder(name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::Map))
        .with_converted_type(ConvertedType::MAP)
        .with_fields(vec![Arc::new(entries)])
        .build()
}

fn properties(table: &Table) -> Result<WriterProperties, AnswerError> {
    let level = ZstdLevel::try_new(LEVEL).map_err(failed)?;
    let pair = |name: &str, value: String| KeyValue::new(name.to_owned(), value);
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(format!("luasnap version {}", env!("CARGO_PKG_VERSION")))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_key_value_metadata(Some(vec![
            pair("luasnap.table", table.name.to_owned()),
            pair("luasnap.schema", SCHEMA.to_string()),
        ]));
    for column in table.columns.iter().filter(|column| column.is_near) {
        let path = ColumnPath::from(column.name);
        properties = properties
            .set_column_dictionary_enabled(path.clone(), false)
            .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties.build())
}

/// Returns the error of the system, if that is what there is behind it.
fn failed(error: ParquetError) -> AnswerError {
    AnswerError::Io(match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => *error,
            Err(error) => io::Error::other(error),
        },
        error => io::Error::other(error),
    })
}
