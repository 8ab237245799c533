package mmiln

import (
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/mmiln/workbench/gomlx_ext/dropout"
	"github.com/mmiln/workbench/gomlx_ext/linear"
)

// NewHead is Self-MM's head over x [B, d]: F* = ReLU(W₁ dropout(x)) [B, width], ŷ = W₃ ReLU(W₂ F*) [B].
func NewHead(scope *model.Scope, task Task, x *Node, c HeadConfig) Head {
	feature := activate(linear.Dense(scope.In("linear1"), dropout.Apply(scope.In("dropout"), x, c.Dropout), c.Width))
	inner := activate(linear.Dense(scope.In("linear2"), feature, c.Width))
	prediction := linear.Dense(scope.In("linear3"), inner, 1)
	return Head{Task: task, Feature: feature, Prediction: Reshape(prediction, x.Shape().Dim(0))}
}
