import EpisodicMemory
import GRDB
import SQLiteStorage

extension SQLiteSnapshot {
  func episodes(_ rows: RowSelection, _ body: (IndexedEpisode) throws(MemoryError) -> Bool) throws(MemoryError) {
    try reading {
      var attributes = AttributeColumns()
      try IndexedRows.episodes.forEach(rows, db) { row in
        try body(
          IndexedEpisode(row: row.integer(0), attributes: attributes.read(row, from: 2), context: row.bytes(1)))
      }
    }
  }

  func steps(_ rows: RowSelection, _ body: (IndexedStep) throws(MemoryError) -> Bool) throws(MemoryError) {
    try reading {
      try IndexedRows.steps.forEach(rows, db) { row in
        var texts = [row.bytes(2)]
        for column in 3...4 as ClosedRange<Int32> where !row.isNull(column) { texts.append(row.bytes(column)) }
        return try body(IndexedStep(row: row.integer(0), episode: row.integer(1), texts: texts))
      }
    }
  }

  func vectors(_ rows: RowSelection, _ body: (IndexedVector) throws(MemoryError) -> Bool) throws(MemoryError) {
    try reading {
      var attributes = AttributeColumns()
      // Of names that Swift calls equal an index would make one space, the primary makes several.
      var model = RepeatedText(isComposed: true)
      try IndexedRows.vectors.forEach(rows, db) { row in
        try body(
          IndexedVector(
            row: row.integer(0), episode: row.integer(1), attributes: attributes.read(row, from: 5),
            model: model.text(row.bytes(2)), dimensions: Int(row.integer(3)), components: row.bytes(4)))
      }
    }
  }

  func lastRow(of table: IndexedTable) throws(MemoryError) -> Int64 {
    try reading {
      var rows = try RawStatement("SELECT max(seq) FROM \(table.name)", db)
      return try rows.step() ? rows.integer(0) : 0
    }
  }
}

extension IndexedTable {
  fileprivate var name: String {
    switch self {
    case .episodes: "episodes"
    case .steps: "steps"
    case .vectors: "embeddings"
    }
  }
}
