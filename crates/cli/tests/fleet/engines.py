"""Asks an engine: engines.py ENGINE TABLES QUERY...; prints the rows of each query as JSON."""

import datetime
import decimal
import json
import os
import sys

VIEWS = {
    "snapshot": "snapshot",
    "group": "groups",
    "path_tree": "path_tree",
    "owner": "owner",
    "object": "object",
    "reference": "reference",
}


def plain(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value


def duckdb_engine(tables):
    import duckdb

    connection = duckdb.connect()
    for table, view in VIEWS.items():
        if os.path.isdir(f"{tables}/{table}"):
            connection.execute(
                f"create view {view} as select * from read_parquet('{tables}/{table}/**/*.parquet', hive_partitioning = true)"
            )

    def ask(query):
        cursor = connection.execute(query)
        return [column[0] for column in cursor.description], cursor.fetchall()

    return ask


def spark_engine(tables):
    from pyspark.sql import SparkSession

    session = (
        SparkSession.builder.master("local[2]")
        .config("spark.sql.shuffle.partitions", "4")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.memory", "1g")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    for table, view in VIEWS.items():
        if os.path.isdir(f"{tables}/{table}"):
            frame = session.read.parquet(f"{tables}/{table}")
            if table in ("snapshot", "group"):
                assert frame.rdd.getNumPartitions() > 1, "it is to be distributed"
            frame.createOrReplaceTempView(view)

    def ask(query):
        frame = session.sql(query)
        return frame.columns, [tuple(row) for row in frame.collect()]

    return ask


def main():
    engine, tables, *queries = sys.argv[1:]
    ask = {"duckdb": duckdb_engine, "spark": spark_engine}[engine](tables)
    answers = []
    for path in queries:
        with open(path) as file:
            columns, rows = ask(file.read().rstrip().rstrip(";"))
        answers.append([dict(zip(columns, map(plain, row))) for row in rows])
    json.dump(answers, sys.stdout)


main()
